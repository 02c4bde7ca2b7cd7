-- Which database this is: the cluster, the branch of its history (another one after a
-- failover, or a restore to a point in time), and its tables (others after a restore
-- from a dump). A copy that takes no writes cannot say.
select case when not pg_is_in_recovery() then
  (select system_identifier from pg_control_system()) || '/' || left(pg_walfile_name(pg_current_wal_lsn()), 8)
  || '/' || 'names'::regclass::oid
end
