-- For wrk: pages that begin at the instants in the file `dates`, one after another, as pollers who stand
-- at different places ask for them.
local starts, at = {}, 0

function init(_)
    for date in io.lines("dates") do
        starts[#starts + 1] = date
    end
end

function request()
    at = at % #starts + 1
    return wrk.format(nil, wrk.path .. "&added_after=" .. starts[at])
end
