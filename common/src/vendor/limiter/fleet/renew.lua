-- Says that these connections are still held; it also brings back those that were wiped.
local connections = KEYS[1]
local expiry = tonumber(ARGV[1])

local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]

for argument = 2, #ARGV do
  redis.call('ZADD', connections, now + expiry, ARGV[argument])
end
redis.call('PEXPIRE', connections, math.ceil(expiry / 1000))
