
# --- forms
form-name = Name
form-save = Save
form-cancel = Cancel
form-edit = Edit
form-delete = Delete
form-keep = Keep it
form-undo = Undo
form-month-day-hint = A day from 1 to 31. In shorter months it is the last day.
form-error-empty = Please fill this in.
form-error-name-long = Please use at most 80 characters.
form-error-long = This is too long.
form-error-number = This is not a number. Write it like 260 or 0.30.
form-error-large = This is larger than any home needs. Is there a slip in it?
form-error-positive = This must be more than zero.
form-error-negative = This can't be less than zero.
form-error-month-day = Please give a day from 1 to 31.
form-error-date = Please give a date.

# --- phrases
words-share = { $part } of { $whole }
words-in-today = today
words-in-yesterday = yesterday
words-in-day = on { $day }
words-in-week = in the week from { $day }
words-in-month = in { $month }
words-in-month-year = in { $month } { $year }
words-in-days = from { $from } to { $to }
words-at-today = today at { $time }
words-at-yesterday = yesterday at { $time }
words-at-day = on { $day } at { $time }
words-on-today = today
words-on-tomorrow = tomorrow
words-on-day = on { $day }

# --- budgets
budget-new = New budget
budget-default-name = Electricity
budget-none = No budget yet
budget-none-do = Say how much you want to use or spend in a month. Hearthwatt then tells you early if it will not hold.
budget-deleted = “{ $name }” is deleted.
budget-form-new = New budget
budget-form-edit = Change the budget
budget-edit-named = Edit “{ $name }”
budget-delete-named = Delete “{ $name }”
budget-kind = Counted in
budget-kind-energy = Energy
budget-kind-money = Money
budget-limit = At most
budget-limit-money = What the grid costs by your tariff, less what it pays you.
budget-period = For each
budget-period-day = day
budget-period-week = week, from Monday
budget-period-month = calendar month
budget-period-bill = month of the bill
budget-every-day = each day
budget-every-week = each week
budget-every-month = each month
budget-every-bill = each month from day { $day }
budget-start-day = The month begins on day
budget-scope = Of
budget-scope-home = the whole home
budget-scope-gone = a meter that is no longer there
budget-tell-me = Tell me when this much is used
budget-other-thresholds = Other percentages
budget-warn-ahead = Also tell me as soon as it looks as if it will not hold
budget-thresholds = What happens when
budget-threshold-ahead = At { $percent } ({ $amount }) you are told.
budget-threshold-crossed = { $percent } ({ $amount }) is passed; you were told.
budget-warns-ahead = You are told as soon as it looks as if it will not hold.
budget-elapsed = { $period }; { $share } of the time has passed
budget-over = Over.
budget-over-by = { $amount } more than planned.
budget-breaks = Breaks { $day }.
budget-breaks-likely = Likely to break { $day }.
budget-close = It will be close.
budget-holds = Holds.
budget-ends-near = Ends near { $range }.
budget-early = Too early to say.
budget-early-detail = A forecast comes after the first days of readings.
budget-error-threshold = Please give whole percentages from 1 to 1000, like 60, 75.
budget-error-no-threshold = Choose at least one moment to be told, or the warning ahead.
budget-error-many-thresholds = At most ten percentages, please.

# --- alerts
alert-none = No alerts
alert-none-do = When a budget passes one of its marks, or will not hold, it is said here and as a notification.
alert-to-budgets = To the budgets
alert-gone = This alert is no longer there.
alert-ack = Got it
alert-ack-all = Got it, all { $n }
alert-acknowledged = Seen { $when }
alert-see-chart = See that day
alert-word-over = Over budget
alert-word-threshold = Mark passed
alert-word-forecast = Will not hold
alert-threshold = { $when } you passed { $percent } of “{ $name }” { $period }: { $share }.
alert-threshold-late = { $when } you passed { $percent } of “{ $name }” { $period }. As of { $asof }: { $share }.
alert-forecast = At this rate “{ $name }” breaks { $breaks }. { $when }, { $share } were used { $period }.

# --- meters
meter-none = No meters yet
meter-none-do = Meters appear here within seconds of their first message. They need a broker that both they and Hearthwatt know.
meter-to-brokers = Set up a broker
meter-adopted = In your home
meter-found = { $n ->
    [one] One new meter found
   *[other] { $n } new meters found
}
meter-found-detail = Readings are stored once a meter is taken in.
meter-adopt = Take in
meter-adopt-all = { $n ->
    [one] Take it in
   *[other] Take in all { $n }
}
meter-adopt-named = Take in { $name }
meter-ignore = Ignore
meter-ignore-named = Ignore { $name }
meter-bring-back = Bring back
meter-bring-back-named = Bring back { $name }
meter-ignored = { $n ->
    [one] One ignored meter
   *[other] { $n } ignored meters
}
meter-role = It measures
meter-role-grid = Grid
meter-role-solar = Solar
meter-role-battery = Battery
meter-role-load = Load
meter-role-grid-long = the connection to the grid
meter-role-solar-long = what the sun brings
meter-role-battery-long = a battery
meter-role-load-long = something that uses power
meter-room = Room
meter-parent = Also measured by
meter-parent-none = no other meter
meter-parent-hint = If this meter lies behind another one, its use is part of the other's and is not counted twice.
meter-inverted = It counts the wrong way round
meter-inverted-short = turned round
meter-inverted-grid = Tick this if it shows a minus while you take power from the grid.
meter-inverted-solar = Tick this if what the sun brings shows as use, as with a plug that carries a balcony panel.
meter-inverted-battery = Tick this if it shows a minus while the battery charges.
meter-inverted-load = Tick this if it shows a minus while the device is on, as with a clamp put on backwards.
meter-edit-named = Edit { $name }
meter-history-named = { $name }: history
meter-today = today
meter-last-seen = heard { $when }
meter-never-seen = not heard since Hearthwatt started
meter-health-well = All well
meter-health-quiet = Quiet for unusually long
meter-health-offline = Offline
meter-health-refused = Not understood
meter-health-unknown = Not heard yet
meter-refused-some = { $n ->
    [one] One message not understood ({ $ok } were)
   *[other] { $n } messages not understood ({ $ok } were)
}
meter-refused-elsewhere = { $n ->
    [one] One message that belongs to no meter
   *[other] { $n } messages that belong to no meter
}
meter-refused-meaning = These were not counted. The newest stand first, each with the reason.
meter-seen = On your network, but silent
meter-seen-enable = It does not send its values yet: switch on MQTT in it and enter your broker.
meter-seen-waiting = It is connected. Its first value is awaited.
meter-seen-unsupported = Hearthwatt can't read this kind yet.
meter-seen-how = How to do that

# --- home
home-place = Your home
home-name = Name of the home
home-zone = Time zone
home-zone-hint = Days begin at midnight there, wherever you look from. For example Europe/Berlin.
home-currency = Currency
home-bill-day = Your bill begins on day
home-auto-adopt = Take in new meters without asking
home-auto-adopt-hint = Every meter that is understood is recorded from its first message on.
home-notifications = Notifications
home-notifications-hint = Alerts also appear on this computer's desktop.
home-saved = Saved.
home-error-zone = There is no such time zone. Start typing and choose from the list.
look-title = This page
look-detail = Kept in this browser or window only.
look-language = Language
look-theme = Colours
look-theme-auto = As the system
look-theme-light = Light
look-theme-dark = Dark
look-autostart = Start when I log in
look-autostart-hint = So that no reading is missed.

# --- tariffs
tariff-title = Prices
tariff-none = Without a price Hearthwatt shows energy only. Your bill or contract has it.
tariff-first = Enter your price
tariff-new-version = The price has changed
tariff-default-name = Electricity
tariff-form-first = Your price
tariff-form-title = A version of the tariff
tariff-name = Name of the tariff
tariff-valid-from = Holds from
tariff-valid-from-hint = Use before this day keeps the price that held then.
tariff-kind = The price is
tariff-flat = always the same
tariff-tou = different by time
tariff-price = Price
tariff-price-hint = With tax, like 0.30 or 30 ct.
tariff-otherwise = Price at all other times
tariff-windows = Times with their own price
tariff-windows-hint = The first that fits counts. A time over midnight belongs to the day it begins on.
tariff-window = Time { $n }
tariff-window-from = From
tariff-window-to = To
tariff-add-window = Add a time
tariff-remove-window = Remove time { $n }
tariff-all-days = Every day
tariff-workdays = Monday to Friday
tariff-weekend = Weekend
tariff-standing = Standing charge
tariff-per = Per
tariff-standing-a-day = { $amount } a day
tariff-per-day = day
tariff-per-month = month
tariff-per-year = year
tariff-export = Paid for what you send to the grid
tariff-export-hint = Leave it empty if nothing is paid.
tariff-now = holds now
tariff-from = from { $from }
tariff-from-to = { $from } to { $to }
tariff-between = { $low } to { $high }
tariff-for-export = { $price } for what you send
tariff-deleted = “{ $name }” is deleted.
tariff-edit-named = Edit “{ $name }” from { $from }
tariff-delete-named = Delete “{ $name }” from { $from }
tariff-error-order = It must begin before it ends.
tariff-error-no-window = Add a time, or choose one price for always.
tariff-error-many-windows = At most twelve times, please.
tariff-error-days = Choose at least one day for each time.
tariff-error-time = Please give times like 22:00.

# --- brokers
broker-title = Brokers
broker-what = Meters send their values to a broker (MQTT); Hearthwatt listens there.
broker-add = Add a broker
broker-form = Address of a broker
broker-host = Address
broker-port = Port
broker-user = User name
broker-password = Password
broker-password-kept = Leave it empty to keep the one that is stored.
broker-password-forget = Forget the stored password
broker-tls = Encrypted (TLS)
broker-ca = Certificate of its authority (PEM)
broker-ca-hint = Only if it signs its own. Left empty, the one entered before stays; else it is what this computer trusts.
broker-save = Connect
broker-own = Let this computer be the broker
broker-own-hint = For a home that has none. Meters then send to this computer, which must stay on.
broker-edit-named = Edit { $host }
broker-delete-named = Delete { $host }
broker-delete-ask = Stop listening to { $host } and forget its password? Stored readings stay.
broker-state-connecting = Connecting…
broker-state-connected = Connected
broker-state-unreachable = Can't be reached; trying again
broker-state-credentials = Refuses the user name or password
broker-state-certificate = Its certificate can't be trusted
broker-state-disabled = Switched off
broker-origin-manual = entered by you
broker-origin-found = found on the network
broker-origin-own = this computer
broker-encrypted = encrypted
broker-messages = { $n } messages
broker-lost = { $n } lost because too many came at once
broker-error-host = This is no address. Write it like 192.168.1.4 or broker.local.
broker-error-port = Please give a number from 1 to 65535; usually 1883, with encryption 8883.
broker-error-ca = This is no certificate. It begins with -----BEGIN CERTIFICATE-----.
broker-error-key = This is a private key: keep it to yourself. The certificate is needed here.
broker-error-user = A password needs a user name.

# --- the first minutes
guide-looking-detail = This takes a few seconds.
guide-nothing-yet = Nothing was heard yet. Hearthwatt goes on looking; here are three ways to help it.
guide-found = { $n ->
    [one] One meter found so far.
   *[other] { $n } meters found so far.
}
guide-way-brand = Switch on MQTT in your meter
guide-way-brand-detail = Most meters can send their values, but do so only when told. Choose yours:
guide-brand-shelly = Shelly
guide-brand-tasmota = Tasmota
guide-brand-zigbee2mqtt = Zigbee2MQTT
guide-brand-homeassistant = Home Assistant
guide-shelly =
    Open the address of the device in a browser, or the device in the Shelly app.
    Newer ones: Settings, MQTT, Enable. Older ones: Internet & Security, Advanced, Enable MQTT. (Older ones then no longer use the Shelly cloud.)
    Enter the address of your broker, like 192.168.1.4:1883, and its user name and password if it has them.
    Newer ones: tick “Generic status update over MQTT”. Save; the device restarts.
guide-tasmota =
    Open the address of the device in a browser.
    Choose Configuration, then Configure MQTT.
    Enter Host and Port of your broker, and its user name and password if it has them. Save; the device restarts.
    For faster values, enter “TelePeriod 10” in the Console.
guide-zigbee2mqtt =
    Zigbee2MQTT always uses a broker. Its address stands in Settings, MQTT (or “server:” in configuration.yaml).
    Enter that same address below.
guide-homeassistant =
    If Home Assistant has the Mosquitto add-on, that is your broker: enter Home Assistant's address below, with the user name and password of a Home Assistant user.
    Otherwise install it: Settings, Add-ons, Mosquitto broker. Then add the MQTT integration.
    Devices that announce themselves to Home Assistant by MQTT are understood here too.
guide-way-broker = Enter your broker
guide-way-broker-detail = If your home has an MQTT broker already, for example in Home Assistant, on a NAS or a Raspberry Pi.
guide-broker-connected = { $host }: connected, waiting for the first value.
guide-broker-connecting = { $host }: connecting…
guide-broker-failing = { $host }: no connection. Please check address and password.
guide-way-own = No broker at home?
guide-own-address = It runs. Enter { $host }, port { $port }, as the MQTT server in your meters.
guide-demo = Just looking?
guide-demo-detail = A made-up home with solar power, an electric car, a year of days and a budget that gets tight.
guide-demo-try = Try a demo home
guide-tariff = What does a kilowatt-hour cost you? With the price you see costs too.
guide-tariff-enter = Enter the price
guide-tariff-later = Not now

# --- data
data-title = Your data
data-size = Everything is kept where Hearthwatt runs: { $size }.
data-free = Of this, { $size } are free for new readings.
data-since = Readings by the second are there from { $when } on; use by quarter hours from the beginning.
data-keep = Keep readings by the second
data-keep-hint = Use by quarter hours, days and months is kept for ever.
data-keep-forever = for ever
data-keep-days = for { $n } days
data-keep-year = for a year
data-keep-years = for { $n } years
data-shorten = Readings by the second from before { $when } will be deleted. They can't be brought back; History keeps its quarter hours.
data-shorten-do = Delete them
data-kept = Saved.
data-export = Export everything
data-export-hint = One file with all readings, settings, budgets and alerts, as text that other programs can read. Passwords are not in it.
data-exporting = The file is being written…
data-export-download = Your browser is downloading the file.
data-export-file = Everything is in { $path }.
data-import = Import a file
data-import-hint = An export, or a copy of the database, takes the place of this home.
data-import-ask = Replace this home with “{ $name }” ({ $size })? What is here now is kept beside it in the data folder.
data-import-do = Replace this home
data-importing = The file is being read. With years of readings this takes some minutes; the home goes on meanwhile.
data-imported = This is the home from “{ $name }” now.
data-leave-demo = Leave the demo home to import a file.
