-- Holds a class for so many microseconds; it is empty afterwards. A longer hold stays.
-- The arithmetic is that of bucket.rs.
local bucket = KEYS[1]
local wait, interval, capacity = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])

local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]

local held_until = tonumber(redis.call('HGET', bucket, 'held_until')) or 0
held_until = math.max(held_until, now + wait)
local full_at = tonumber(redis.call('HGET', bucket, 'full_at')) or 0
full_at = math.max(full_at, held_until + capacity * interval)
redis.call('HSET', bucket, 'held_until', held_until, 'full_at', full_at)
