-- Sends the raw requests of the file $REQUESTS in rotation, beginning after the first $SKIP.
-- A request that is a list of parts gets a number never used before between each two of them.
local requests = dofile(os.getenv("REQUESTS"))
local unique, at = tonumber(os.getenv("UNIQUE")), tonumber(os.getenv("SKIP"))

function request()
  at = at % #requests + 1
  local parts = requests[at]
  if type(parts) == "string" then return parts end
  local out = {parts[1]}
  for part = 2, #parts do
    unique = unique + 1
    out[#out + 1] = string.format("%016.0f", unique)
    out[#out + 1] = parts[part]
  end
  return table.concat(out)
end

function done(summary, latency)
  local failed = summary.errors
  io.write(string.format('\n@{"requests":%d,"seconds":%f,"p50":%f,"p99":%f,"refused":%d,"broken":%d}\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
    failed.status, failed.connect + failed.read + failed.write + failed.timeout))
end
