--
-- PostgreSQL database dump
--

\restrict 7bJ0vN3kXq

-- Dumped from database version 17.6
-- Dumped by pg_dump version 17.6

SET statement_timeout = 0;
SET transaction_timeout = 0;
SET a_setting_of_some_later_version = on;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;

CREATE EXTENSION IF NOT EXISTS an_extension_that_is_not_here WITH SCHEMA public;

CREATE FUNCTION public.touch() RETURNS trigger
    LANGUAGE plpgsql
    AS $_$
BEGIN
  -- a semicolon; in a comment; in a body
  RETURN NEW;
END;
$_$;

ALTER FUNCTION public.touch() OWNER TO somebody_else;

/* a comment /* in a comment; */ still */
CREATE TABLE public.tokens (
    id integer NOT NULL,
    user_id integer NOT NULL,
    token character varying(6) NOT NULL,
    created_at timestamp without time zone DEFAULT now() NOT NULL,
    used_at timestamp without time zone
);

ALTER TABLE public.tokens OWNER TO somebody_else;

CREATE SEQUENCE public.tokens_id_seq
    AS integer
    START WITH 1;

ALTER TABLE ONLY public.tokens ALTER COLUMN id SET DEFAULT nextval('public.tokens_id_seq'::regclass);

CREATE TABLE public.users (
    id integer NOT NULL,
    first_name character varying(50) NOT NULL,
    last_name character varying(50) NOT NULL,
    joined_at timestamp without time zone NOT NULL,
    is_active boolean DEFAULT true NOT NULL
);

--
-- Data for Name: tokens; Type: TABLE DATA; Schema: public; Owner: somebody_else
--

COPY public.tokens (id, user_id, token, created_at, used_at) FROM stdin;
1	1	002827	2024-03-27 08:18:59.656589	2024-03-27 09:18:59.656589
2	1	002827	2024-03-28 08:00:00	\N
3	3	379951	2024-02-25 00:02:53.355333	2024-02-24 23:57:53.355333
4	2	017432	2024-03-31 02:30:00	2024-04-01 20:15:43.000001
\.


COPY public.users (id, first_name, last_name, joined_at, is_active) FROM stdin;
1	Ada	Berg	2024-02-03 22:55:26	t
2	Zoë	D'Souza; -- no comment	2024-01-04 00:13:05.322499	t
3	Wei\t	Łukasz	2024-03-24 14:07:08.8198	f
4		Old	1999-12-31 23:59:59	t
\.


SELECT pg_catalog.setval('public.tokens_id_seq', 4, true);

ALTER TABLE ONLY public.users
    ADD CONSTRAINT users_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.tokens
    ADD CONSTRAINT tokens_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.users(id);

GRANT ALL ON TABLE public.tokens TO somebody_else;

--
-- PostgreSQL database dump complete
--

\unrestrict 7bJ0vN3kXq

