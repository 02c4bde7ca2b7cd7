truncate space_day, member_day, more_visits, method_day
