# --- frame
skip-link = Skip to the content
nav-label = Screens
nav-now = Now
nav-history = History
nav-budgets = Budgets
nav-alerts = Alerts
nav-meters = Meters
nav-home = Home
nav-open-alerts = { $n ->
    [one] open alert
   *[other] open alerts
}
link-down = Out of touch with the hub.
link-down-detail = What you see is as of then; recording goes on there. Trying again by itself.
demo-banner = This is a made-up home.
demo-banner-detail = Nothing of it is kept with your own.
demo-leave = Leave the demo
severity-error = Wrong:
severity-warning = Mind:
severity-info = Note:
since = since { $when }
toast-close = Close this message
no-value = no value
error-unavailable = Hearthwatt does not answer right now. Your readings are safe; the page tries again by itself.
error-unauthorized = This page needs the hub's token. Open the address that the hub prints when it starts.

# --- dates
date-today = Today
date-yesterday = Yesterday
date-day = { $weekday } { $day } { $month }
date-day-month = { $day } { $month }
date-day-month-year = { $day } { $month } { $year }
ago-now = just now
ago-minutes = { $n } min ago
ago-hours = { $n } h ago
weekday-1 = Monday
weekday-2 = Tuesday
weekday-3 = Wednesday
weekday-4 = Thursday
weekday-5 = Friday
weekday-6 = Saturday
weekday-7 = Sunday
weekday-short-1 = Mon
weekday-short-2 = Tue
weekday-short-3 = Wed
weekday-short-4 = Thu
weekday-short-5 = Fri
weekday-short-6 = Sat
weekday-short-7 = Sun
month-1 = January
month-2 = February
month-3 = March
month-4 = April
month-5 = May
month-6 = June
month-7 = July
month-8 = August
month-9 = September
month-10 = October
month-11 = November
month-12 = December
month-short-1 = Jan
month-short-2 = Feb
month-short-3 = Mar
month-short-4 = Apr
month-short-5 = May
month-short-6 = Jun
month-short-7 = Jul
month-short-8 = Aug
month-short-9 = Sep
month-short-10 = Oct
month-short-11 = Nov
month-short-12 = Dec

# --- charts
chart-as-table = Show as table
chart-as-chart = Show as chart
chart-download = Save as CSV
chart-help = Arrow keys move through the values, plus and minus zoom, Escape shows everything.
chart-time = Time
chart-quality = Quality
quality-measured = measured
quality-interpolated = filled in over a short pause
quality-recovered = spread over a pause
quality-suspect = doubtful
quality-corrected = corrected
quality-none = no readings

# --- now
now-power = Power now
now-spoken = The home uses { $power }
now-silent = No meter has sent a value for more than a minute. See Meters for which one is quiet.
verdict-none = After a few days this line says whether that is usual.
verdict-usual = As on a usual { $day } { $part ->
    [night] night
    [morning] morning
    [afternoon] afternoon
   *[evening] evening
} ({ $usual })
verdict-lower = Below a usual { $day } { $part ->
    [night] night
    [morning] morning
    [afternoon] afternoon
   *[evening] evening
} ({ $usual })
verdict-much-lower = Much quieter than a usual { $day } { $part ->
    [night] night
    [morning] morning
    [afternoon] afternoon
   *[evening] evening
} ({ $usual })
verdict-higher = Above a usual { $day } { $part ->
    [night] night
    [morning] morning
    [afternoon] afternoon
   *[evening] evening
} ({ $usual })
verdict-much-higher = Much more than on a usual { $day } { $part ->
    [night] night
    [morning] morning
    [afternoon] afternoon
   *[evening] evening
} ({ $usual })
today-hours = Today by hour. Most at { $hour }: { $energy }.
today-hours-none = Today by hour. Nothing used yet.
flow = Where the power comes from and goes to
flow-solar = Solar
flow-home = Home
flow-grid-in = From the grid
flow-grid-out = To the grid
flow-battery = Battery
flow-battery-in = Into the battery
flow-battery-out = From the battery
role-home = Home
role-grid = Grid
role-solar = Solar
role-battery = Battery
live-title = The last hours
live-window = How far back
live-empty = The lines start with the first value of a meter that measures the whole home, the sun or a battery.
window-1h = 1 h
window-6h = 6 h
window-24h = 24 h
month-no-budget = No budget watches over this month.
month-set-budget = Set one
month-spent = { $spent } of { $limit }
month-ends = likely to end at { $range }
month-breaks = over the limit from about { $day }
consumers = What is using it
consumers-none = Plugs and clamps that measure single devices appear here.
consumers-rest = Not measured by a plug
consumer-today = { $energy } today

# --- history
history-by = Show by
history-day = Day
history-week = Week
history-month = Month
history-year = Year
history-all = All
history-all-years = All years
history-earlier = Earlier
history-later = Later
history-to-today = Today
history-range = { $from } – { $to }
history-of = Of
history-whole-home = Whole home
history-compare = Compared with
history-compare-none = Nothing
history-compare-previous = The period before
history-compare-last-year = A year earlier
history-used = Used
history-taken = used
history-import = From the grid
history-export = Sent to the grid
history-produced = Produced
history-cost = Cost
history-before = { $period }
history-less = { $difference } less than { $period } ({ $percent })
history-more = { $difference } more than { $period } ({ $percent })
history-same = As much as { $period }
history-less-so-far = So far { $difference } less than up to the same moment of { $period } ({ $percent })
history-more-so-far = So far { $difference } more than up to the same moment of { $period } ({ $percent })
history-same-so-far = So far as much as up to the same moment of { $period }
history-nothing-before = Nothing was recorded then ({ $period }) to compare with.
history-doubtful = { $energy } of it is not plainly measured: hatched bars were filled in over a pause, dashed ones are doubtful.
history-empty = No readings in this period. Choose another one, or look at Meters if there should be some.
history-chart = Energy used, { $period }

# --- first minutes
first-run-looking = Looking for meters on your network…
