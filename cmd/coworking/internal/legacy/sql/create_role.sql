-- A dump is somebody else's program: what runs it may touch nothing but its own
-- database, and no file or command of this machine.
create role loader login nosuperuser
