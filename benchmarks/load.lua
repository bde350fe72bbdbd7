-- wrk: sends each prepared request once. Arguments: path, file of lines "header value TAB body", header name.

local requests, sent = {}, 0

function init(args)
    for line in io.lines(args[2]) do
        local value, body = line:match("^(.-)\t(.*)$")
        local headers = { [args[3]] = value, ["Content-Type"] = "application/json" }
        requests[#requests + 1] = wrk.format("POST", args[1], headers, body)
    end
end

function request()
    sent = sent + 1
    if sent >= #requests then
        wrk.thread:stop()
    end
    return requests[sent] or requests[#requests]
end

function done(summary, latency)
    local errors = summary.errors
    io.write(string.format(
        '\n{"requests": %d, "microseconds": %d, "p50": %d, "p99": %d, "failed": %d}\n',
        summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
        errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
