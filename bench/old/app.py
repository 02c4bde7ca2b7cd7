"""The two reports of the system before this one, with its queries and by its means: Flask, a dict, jsonify.

Takes a database and a port. No pool, no log and no daily line: they would only add to what a report takes.
"""

import sys

import flask
import psycopg2

database, port = sys.argv[1:]
connection = psycopg2.connect(database)
connection.autocommit = True
app = flask.Flask(__name__)


def rows(statement):
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchall()


@app.get("/api/reports/daily_usage")
def daily_usage():
    found = rows("select date(created_at), count(*) from tokens where used_at is not null group by date(created_at)")
    return flask.jsonify({str(day): tokens for day, tokens in found})


@app.get("/api/reports/user_visits")
def user_visits():
    found = rows(
        "select t.user_id, t.visits, users.joined_at from (select user_id, count(*) as visits from tokens group by user_id) as t "
        "left join users on t.user_id = users.id"
    )
    return flask.jsonify({user: {"visits": visits, "joined_at": str(joined)} for user, visits, joined in found})


@app.get("/readyz")
def ready():
    return "ok"


app.run(port=int(port), threaded=False)
