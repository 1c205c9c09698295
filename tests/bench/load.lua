-- wrk's requests, the paths of a file one after the other, and its figures as one line of JSON.
-- wrk ... -s load.lua URL -- FILE ACCEPT
local requests, at = {}, 0

function init(args)
  for path in io.lines(args[1]) do
    table.insert(requests, wrk.format("GET", path, { ["Accept"] = args[2], ["Host"] = wrk.host }))
  end
  -- Each thread begins elsewhere.
  at = tonumber(tostring(requests):match("%x+$"), 16) % #requests
end

function request()
  at = at % #requests + 1
  return requests[at]
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '\n{"answers": %d, "refused": %d, "seconds": %.6f, "median": %.6f, "p99": %.6f}\n',
    summary.requests, errors.status + errors.read + errors.write + errors.timeout + errors.connect,
    summary.duration / 1e6, latency:percentile(50) / 1e6, latency:percentile(99) / 1e6))
end
