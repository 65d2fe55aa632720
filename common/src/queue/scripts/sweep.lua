-- Forgets tasks that are finished, a batch at a time.
--
-- KEYS: a set of finished tasks, the payloads
-- ARGV: the prefix of the tasks' own hashes, the most tasks to forget
-- Returns how many there were.
local ids = redis.call('SPOP', KEYS[1], ARGV[2])
for _, id in ipairs(ids) do
    redis.call('HDEL', KEYS[2], id)
    redis.call('DEL', ARGV[1] .. id)
end
return #ids
