-- For wrk: each request adds one indicator that was not there before.
local n, seed = 0, 0
local object = '{"objects":[{"type":"indicator","spec_version":"2.1","id":"indicator--%08x-0000-4000-8000-%012x",'
    .. '"created":"2026-01-01T00:00:00.000Z","modified":"2026-01-01T00:00:00.000Z","pattern_type":"stix",'
    .. '"pattern":"[domain-name:value = \'h%d.example\']","valid_from":"2026-01-01T00:00:00Z"}]}'

function init(args)
    seed = tonumber(args[1])
    wrk.method = "POST"
    wrk.headers["Content-Type"] = "application/taxii+json;version=2.1"
end

function request()
    n = n + 1
    return wrk.format(nil, nil, nil, object:format(seed, n, n))
end
