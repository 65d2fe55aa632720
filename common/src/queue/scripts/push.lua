-- Puts hints straight where workers fetch them: apalis' own push puts them all among the scheduled
-- ones, and a fetch fails for good when 8,000 of those are due.
--
-- KEYS: the payloads, the list of what waits
-- ARGV: the prefix of the tasks' own hashes; then a task's id and payload in turn
-- Returns how many were new.
local new = 0
for i = 2, #ARGV, 2 do
    if redis.call('HSETNX', KEYS[1], ARGV[i], ARGV[i + 1]) == 1 then
        redis.call('HSET', ARGV[1] .. ARGV[i], 'attempts', 0, 'max_attempts', 1, 'status', 'Pending')
        redis.call('RPUSH', KEYS[2], ARGV[i])
        new = new + 1
    end
end
return new
