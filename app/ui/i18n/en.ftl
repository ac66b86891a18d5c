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

# --- first minutes
first-run-looking = Looking for meters on your network…
