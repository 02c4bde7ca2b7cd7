select u.id, u.joined_at, count(t.id) from users u join tokens t on t.user_id = u.id group by u.id, u.joined_at order by u.id
