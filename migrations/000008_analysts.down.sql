drop view report_member_days, report_visits, report_members, report_tokens, report_methods, report_slots, report_days, report_spaces;
-- The roles go with the last database of the server that uses them.
do $$
declare
  role text;
begin
  foreach role in array array['report_reader', 'report_reader_personal'] loop
    begin
      execute format('drop role if exists %I', role);
    exception
      when dependent_objects_still_exist or insufficient_privilege or object_in_use then null;
    end;
  end loop;
end
$$;
