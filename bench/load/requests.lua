-- The requests of wrk: one for each user, put together once, sent in turn.
-- Arguments: the file of the tokens, how many of them, the method, the path, the size of the body in bytes, and what
-- becomes of the connection: `close` or `keep`.

local requests = {}
local turn = 0

function init(args)
  local count, method, path, size = tonumber(args[2]), args[3], args[4], tonumber(args[5])
  local body = nil
  local headers = {}
  if size > 0 then
    body = string.rep('x', size)
    headers['Content-Type'] = 'application/octet-stream'
  end
  if args[6] == 'close' then
    headers['Connection'] = 'close'
  end
  for token in io.lines(args[1]) do
    headers['Authorization'] = 'Bearer ' .. token
    requests[#requests + 1] = wrk.format(method, path, headers, body)
    if #requests == count then
      break
    end
  end
  -- A round is too short for 100,000 users, so that each begins with others.
  turn = os.time() * 7919 % #requests
end

function request()
  turn = turn % #requests + 1
  return requests[turn]
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    'RESULT {"requests":%d,"microseconds":%d,"p50":%d,"p99":%d,"bytes":%d,"refused":%d,"broken":%d}\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99), summary.bytes, errors.status,
    errors.connect + errors.read + errors.write + errors.timeout
  ))
end
