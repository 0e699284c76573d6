-- For wrk: pages that nobody asked for before: each begins at another instant between two dates, which
-- are given as seconds since 1970 with their microseconds.
local from, to

function init(args)
    from, to = tonumber(args[1]), tonumber(args[2])
    math.randomseed(tonumber(args[3]))
end

function request()
    local at = from + math.random() * (to - from)
    return wrk.format(nil, ("%s&added_after=%s.%06dZ"):format(wrk.path, os.date("!%Y-%m-%dT%H:%M:%S", math.floor(at)),
        math.floor(at % 1 * 1e6)))
end
