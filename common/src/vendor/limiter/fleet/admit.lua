-- Takes a slot and a connection, or says when to ask again. Times are microseconds.
-- The arithmetic is that of bucket.rs.
local bucket, connections, since_key = KEYS[1], KEYS[2], KEYS[3]
local id = ARGV[1]
local interval, capacity, grace = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local connections_max, expiry, settling = tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
local reserved_since, reserved = tonumber(ARGV[8]), tonumber(ARGV[9])
local ADMITTED, LATER, FULL = 0, 1, 2

local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]

-- Where nothing is known, all may have been wiped: first those who still hold connections, or were
-- told to wait, say so.
local since = tonumber(redis.call('GET', since_key))
if not since then
  since = now
  redis.call('SET', since_key, since)
end
local settled = since + settling

local held_until = tonumber(redis.call('HGET', bucket, 'held_until')) or 0
local full_at = tonumber(redis.call('HGET', bucket, 'full_at'))
if not full_at then
  full_at = math.max(now, settled) + capacity * interval
end

-- Its own id is there when the answer to an earlier try was lost.
redis.call('ZREM', connections, id)
redis.call('ZREMRANGEBYSCORE', connections, '-inf', now)
if redis.call('ZCARD', connections) >= connections_max then
  return {FULL, now, 0, since}
end

local due = reserved
if reserved_since ~= since or reserved < held_until or now > reserved + grace then
  due = math.max(now, settled, held_until, full_at - (capacity - 1) * interval)
  redis.call('HSET', bucket, 'full_at', math.max(full_at, due) + interval)
end
if due > now then
  return {LATER, now, due, since}
end
redis.call('ZADD', connections, now + expiry, id)
redis.call('PEXPIRE', connections, math.ceil(expiry / 1000))
return {ADMITTED, now, due, since}
