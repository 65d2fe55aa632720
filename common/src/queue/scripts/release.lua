-- Forgets a worker and the tasks that it holds.
--
-- KEYS: the workers, the tasks it holds, its own hash, the payloads
-- ARGV: its name, the prefix of the tasks' own hashes, and either nothing, or the second up to which
--       it must have been silent
-- Returns how many tasks it held.
local seen = redis.call('ZSCORE', KEYS[1], ARGV[1])
if ARGV[3] and seen and tonumber(seen) > tonumber(ARGV[3]) then
    return 0
end
local ids = redis.call('SMEMBERS', KEYS[2])
for _, id in ipairs(ids) do
    redis.call('HDEL', KEYS[4], id)
    redis.call('DEL', ARGV[2] .. id)
end
redis.call('DEL', KEYS[2], KEYS[3])
redis.call('ZREM', KEYS[1], ARGV[1])
return #ids
