# Tray and notifications. The page has its own texts.
tray-open = Open Hearthwatt
tray-quit = Quit
tray-now = Now { $power }
tray-today = Today { $energy }
tray-today-cost = Today { $energy } · { $cost }
tray-unknown = No values yet
tray-trouble = Hearthwatt needs attention
alert-threshold = { $budget }: { $percent } % used
alert-threshold-body = { $spent } of { $limit } used so far.
alert-over = { $budget } is used up
alert-over-body = { $spent } used, { $limit } planned.
alert-forecast = { $budget } will probably not hold
alert-forecast-body = { $spent } of { $limit } used so far. At this rate it is used up on { $date }.
