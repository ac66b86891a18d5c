
# --- Formulare
form-name = Name
form-save = Speichern
form-cancel = Abbrechen
form-edit = Ändern
form-delete = Löschen
form-keep = Behalten
form-undo = Rückgängig
form-month-day-hint = Ein Tag von 1 bis 31. In kürzeren Monaten ist es der letzte.
form-error-empty = Bitte ausfüllen.
form-error-name-long = Bitte höchstens 80 Zeichen.
form-error-long = Das ist zu lang.
form-error-number = Das ist keine Zahl. So zum Beispiel: 260 oder 0,30.
form-error-large = Das ist mehr, als ein Haushalt braucht. Vertippt?
form-error-positive = Das muss mehr als null sein.
form-error-negative = Das kann nicht weniger als null sein.
form-error-month-day = Bitte einen Tag von 1 bis 31 angeben.
form-error-date = Bitte ein Datum angeben.

# --- Wendungen
words-share = { $part } von { $whole }
words-in-today = heute
words-in-yesterday = gestern
words-in-day = am { $day }
words-in-week = in der Woche ab { $day }
words-in-month = im { $month }
words-in-month-year = im { $month } { $year }
words-in-days = vom { $from } bis { $to }
words-at-today = heute um { $time }
words-at-yesterday = gestern um { $time }
words-at-day = am { $day } um { $time }
words-on-today = heute
words-on-tomorrow = morgen
words-on-day = am { $day }

# --- Budgets
budget-new = Neues Budget
budget-default-name = Strom
budget-none = Noch kein Budget
budget-none-do = Legen Sie fest, wie viel Sie im Monat verbrauchen oder ausgeben wollen. Hearthwatt sagt früh Bescheid, wenn es nicht reicht.
budget-deleted = „{ $name }“ ist gelöscht.
budget-form-new = Neues Budget
budget-form-edit = Budget ändern
budget-edit-named = „{ $name }“ ändern
budget-delete-named = „{ $name }“ löschen
budget-kind = Gezählt wird
budget-kind-energy = Energie
budget-kind-money = Geld
budget-limit = Höchstens
budget-limit-money = Was das Netz nach Ihrem Tarif kostet, abzüglich der Vergütung.
budget-period = Für jeden Zeitraum
budget-period-day = Tag
budget-period-week = Woche, ab Montag
budget-period-month = Kalendermonat
budget-period-bill = Abrechnungsmonat
budget-every-day = jeden Tag
budget-every-week = jede Woche
budget-every-month = jeden Monat
budget-every-bill = jeden Monat ab dem { $day }.
budget-start-day = Der Monat beginnt am Tag
budget-scope = Gemessen an
budget-scope-home = ganzer Haushalt
budget-scope-gone = ein Zähler, den es nicht mehr gibt
budget-tell-me = Bescheid sagen, wenn so viel verbraucht ist
budget-other-thresholds = Andere Prozentwerte
budget-warn-ahead = Auch Bescheid sagen, sobald es nicht mehr zu reichen scheint
budget-thresholds = Was wann geschieht
budget-threshold-ahead = Bei { $percent } ({ $amount }) wird Bescheid gesagt.
budget-threshold-crossed = { $percent } ({ $amount }) sind erreicht; es wurde Bescheid gesagt.
budget-warns-ahead = Sobald es nicht mehr zu reichen scheint, wird Bescheid gesagt.
budget-elapsed = { $period }; { $share } der Zeit sind um
budget-over = Überschritten.
budget-over-by = { $amount } mehr als geplant.
budget-breaks = Bricht { $day }.
budget-breaks-likely = Bricht wohl { $day }.
budget-close = Es wird knapp.
budget-holds = Hält.
budget-ends-near = Endet bei etwa { $range }.
budget-early = Noch zu früh.
budget-early-detail = Eine Prognose kommt nach den ersten Tagen mit Messwerten.
budget-error-threshold = Bitte ganze Prozentwerte von 1 bis 1000, zum Beispiel 60, 75.
budget-error-no-threshold = Wählen Sie mindestens einen Zeitpunkt oder den Hinweis vorab.
budget-error-many-thresholds = Bitte höchstens zehn Prozentwerte.

# --- Hinweise
alert-none = Keine Hinweise
alert-none-do = Wenn ein Budget eine seiner Marken erreicht oder nicht reichen wird, steht es hier und kommt als Benachrichtigung.
alert-to-budgets = Zu den Budgets
alert-gone = Diesen Hinweis gibt es nicht mehr.
alert-ack = Verstanden
alert-ack-all = Alle { $n } verstanden
alert-acknowledged = Gesehen { $when }
alert-see-chart = Den Tag ansehen
alert-word-over = Budget überschritten
alert-word-threshold = Marke erreicht
alert-word-forecast = Reicht nicht
alert-threshold = { $when } waren { $percent } von „{ $name }“ { $period } erreicht: { $share }.
alert-threshold-late = { $when } waren { $percent } von „{ $name }“ { $period } erreicht. Stand { $asof }: { $share }.
alert-forecast = So wie jetzt bricht „{ $name }“ { $breaks }. { $when } waren { $share } { $period } verbraucht.

# --- Zähler
meter-none = Noch keine Zähler
meter-none-do = Zähler erscheinen hier Sekunden nach ihrer ersten Nachricht. Sie brauchen einen Broker, den sie und Hearthwatt kennen.
meter-to-brokers = Broker einrichten
meter-adopted = In Ihrem Haushalt
meter-found = { $n ->
    [one] Ein neuer Zähler gefunden
   *[other] { $n } neue Zähler gefunden
}
meter-found-detail = Messwerte werden gespeichert, sobald ein Zähler aufgenommen ist.
meter-adopt = Aufnehmen
meter-adopt-all = { $n ->
    [one] Aufnehmen
   *[other] Alle { $n } aufnehmen
}
meter-adopt-named = { $name } aufnehmen
meter-ignore = Nicht beachten
meter-ignore-named = { $name } nicht beachten
meter-bring-back = Zurückholen
meter-bring-back-named = { $name } zurückholen
meter-ignored = { $n ->
    [one] Ein nicht beachteter Zähler
   *[other] { $n } nicht beachtete Zähler
}
meter-role = Er misst
meter-role-grid = Netz
meter-role-solar = Solar
meter-role-battery = Batterie
meter-role-load = Verbraucher
meter-role-grid-long = den Anschluss ans Netz
meter-role-solar-long = was die Sonne bringt
meter-role-battery-long = eine Batterie
meter-role-load-long = etwas, das Strom verbraucht
meter-room = Raum
meter-parent = Auch gemessen von
meter-parent-none = keinem anderen Zähler
meter-parent-hint = Liegt dieser Zähler hinter einem anderen, ist sein Verbrauch in dessen enthalten und wird nicht doppelt gezählt.
meter-inverted = Er zählt verkehrt herum
meter-inverted-short = umgedreht
meter-inverted-grid = Ankreuzen, wenn er ein Minus zeigt, während Sie Strom aus dem Netz beziehen.
meter-inverted-solar = Ankreuzen, wenn Sonnenstrom als Verbrauch erscheint, etwa bei einer Steckdose mit Balkonkraftwerk.
meter-inverted-battery = Ankreuzen, wenn er ein Minus zeigt, während die Batterie lädt.
meter-inverted-load = Ankreuzen, wenn er ein Minus zeigt, während das Gerät läuft, etwa bei einer verkehrt angelegten Stromzange.
meter-edit-named = { $name } ändern
meter-history-named = { $name }: Verlauf
meter-today = heute
meter-last-seen = gehört: { $when }
meter-never-seen = seit dem Start von Hearthwatt nicht gehört
meter-health-well = Alles gut
meter-health-quiet = Ungewöhnlich lange still
meter-health-offline = Nicht erreichbar
meter-health-refused = Nicht verstanden
meter-health-unknown = Noch nicht gehört
meter-refused-some = { $n ->
    [one] Eine Nachricht nicht verstanden ({ $ok } schon)
   *[other] { $n } Nachrichten nicht verstanden ({ $ok } schon)
}
meter-refused-elsewhere = { $n ->
    [one] Eine Nachricht, die zu keinem Zähler gehört
   *[other] { $n } Nachrichten, die zu keinem Zähler gehören
}
meter-refused-meaning = Sie wurden nicht gezählt. Die neuesten stehen oben, jede mit ihrem Grund.
meter-seen = Im Netzwerk, aber still
meter-seen-enable = Es sendet seine Werte noch nicht: MQTT im Gerät einschalten und den Broker eintragen.
meter-seen-waiting = Es ist verbunden. Der erste Wert steht noch aus.
meter-seen-unsupported = Diese Art kann Hearthwatt noch nicht lesen.
meter-seen-how = So geht das

# --- Zuhause
home-place = Ihr Haushalt
home-name = Name
home-zone = Zeitzone
home-zone-hint = Dort beginnen die Tage um Mitternacht, von wo auch immer Sie hinsehen. Zum Beispiel Europe/Berlin.
home-currency = Währung
home-bill-day = Die Abrechnung beginnt am Tag
home-auto-adopt = Neue Zähler ohne Rückfrage aufnehmen
home-auto-adopt-hint = Jeder Zähler, der verstanden wird, wird ab seiner ersten Nachricht aufgezeichnet.
home-notifications = Benachrichtigungen
home-notifications-hint = Hinweise erscheinen auch auf dem Bildschirm dieses Computers.
home-saved = Gespeichert.
home-error-zone = Diese Zeitzone gibt es nicht. Tippen Sie los und wählen Sie aus der Liste.
look-title = Diese Seite
look-detail = Gilt nur in diesem Browser oder Fenster.
look-language = Sprache
look-theme = Farben
look-theme-auto = Wie das System
look-theme-light = Hell
look-theme-dark = Dunkel
look-autostart = Bei der Anmeldung starten
look-autostart-hint = Damit kein Messwert fehlt.

# --- Tarife
tariff-title = Preise
tariff-none = Ohne Preis zeigt Hearthwatt nur Energie. Er steht auf Ihrer Rechnung oder im Vertrag.
tariff-first = Preis eintragen
tariff-new-version = Der Preis hat sich geändert
tariff-default-name = Strom
tariff-form-first = Ihr Preis
tariff-form-title = Eine Fassung des Tarifs
tariff-name = Name des Tarifs
tariff-valid-from = Gilt ab
tariff-valid-from-hint = Was vor diesem Tag verbraucht wurde, behält den Preis von damals.
tariff-kind = Der Preis ist
tariff-flat = immer gleich
tariff-tou = je nach Zeit anders
tariff-price = Preis
tariff-price-hint = Mit Steuern, zum Beispiel 0,30 oder 30 ct.
tariff-otherwise = Preis zu allen anderen Zeiten
tariff-windows = Zeiten mit eigenem Preis
tariff-windows-hint = Die erste passende zählt. Eine Zeit über Mitternacht gehört zu dem Tag, an dem sie beginnt.
tariff-window = Zeit { $n }
tariff-window-from = Von
tariff-window-to = Bis
tariff-add-window = Zeit hinzufügen
tariff-remove-window = Zeit { $n } entfernen
tariff-all-days = Jeden Tag
tariff-workdays = Montag bis Freitag
tariff-weekend = Wochenende
tariff-standing = Grundpreis
tariff-per = Pro
tariff-standing-a-day = { $amount } am Tag
tariff-per-day = Tag
tariff-per-month = Monat
tariff-per-year = Jahr
tariff-export = Vergütung für Strom, den Sie einspeisen
tariff-export-hint = Leer lassen, wenn nichts vergütet wird.
tariff-now = gilt jetzt
tariff-from = ab { $from }
tariff-from-to = { $from } bis { $to }
tariff-between = { $low } bis { $high }
tariff-for-export = { $price } Vergütung
tariff-deleted = „{ $name }“ ist gelöscht.
tariff-edit-named = „{ $name }“ ab { $from } ändern
tariff-delete-named = „{ $name }“ ab { $from } löschen
tariff-error-order = Der Tarif muss vor seinem Ende beginnen.
tariff-error-no-window = Fügen Sie eine Zeit hinzu oder wählen Sie einen Preis für immer.
tariff-error-many-windows = Bitte höchstens zwölf Zeiten.
tariff-error-days = Wählen Sie für jede Zeit mindestens einen Tag.
tariff-error-time = Bitte Uhrzeiten wie 22:00 angeben.

# --- Broker
broker-title = Broker
broker-what = Zähler senden ihre Werte an einen Broker (MQTT); dort hört Hearthwatt zu.
broker-add = Broker hinzufügen
broker-form = Adresse eines Brokers
broker-host = Adresse
broker-port = Port
broker-user = Benutzername
broker-password = Passwort
broker-password-kept = Leer lassen, um das gespeicherte zu behalten.
broker-password-forget = Das gespeicherte Passwort vergessen
broker-tls = Verschlüsselt (TLS)
broker-ca = Zertifikat seiner Zertifizierungsstelle (PEM)
broker-ca-hint = Nur, wenn er selbst signiert. Leer gelassen bleibt das zuvor eingegebene; sonst gilt, wem dieser Computer vertraut.
broker-save = Verbinden
broker-own = Dieser Computer soll der Broker sein
broker-own-hint = Für ein Zuhause ohne Broker. Die Zähler senden dann an diesen Computer, der eingeschaltet bleiben muss.
broker-edit-named = { $host } ändern
broker-delete-named = { $host } löschen
broker-delete-ask = { $host } nicht mehr zuhören und das Passwort vergessen? Gespeicherte Messwerte bleiben.
broker-state-connecting = Verbindet…
broker-state-connected = Verbunden
broker-state-unreachable = Nicht erreichbar; neuer Versuch läuft
broker-state-credentials = Weist Benutzername oder Passwort ab
broker-state-certificate = Sein Zertifikat ist nicht vertrauenswürdig
broker-state-disabled = Ausgeschaltet
broker-origin-manual = von Ihnen eingetragen
broker-origin-found = im Netzwerk gefunden
broker-origin-own = dieser Computer
broker-encrypted = verschlüsselt
broker-messages = { $n } Nachrichten
broker-lost = { $n } verloren, weil zu viele auf einmal kamen
broker-error-host = Das ist keine Adresse. So zum Beispiel: 192.168.1.4 oder broker.local.
broker-error-port = Bitte eine Zahl von 1 bis 65535; meist 1883, verschlüsselt 8883.
broker-error-ca = Das ist kein Zertifikat. Es beginnt mit -----BEGIN CERTIFICATE-----.
broker-error-key = Das ist ein privater Schlüssel: behalten Sie ihn für sich. Gebraucht wird das Zertifikat.
broker-error-user = Zu einem Passwort gehört ein Benutzername.

# --- die ersten Minuten
guide-looking-detail = Das dauert ein paar Sekunden.
guide-nothing-yet = Noch ist nichts zu hören. Hearthwatt sucht weiter; drei Wege, ihm zu helfen:
guide-found = { $n ->
    [one] Bisher ein Zähler gefunden.
   *[other] Bisher { $n } Zähler gefunden.
}
guide-way-brand = MQTT im Zähler einschalten
guide-way-brand-detail = Die meisten Zähler können ihre Werte senden, tun es aber erst auf Wunsch. Wählen Sie Ihren:
guide-brand-shelly = Shelly
guide-brand-tasmota = Tasmota
guide-brand-zigbee2mqtt = Zigbee2MQTT
guide-brand-homeassistant = Home Assistant
guide-shelly =
    Die Adresse des Geräts im Browser öffnen oder das Gerät in der Shelly-App.
    Neuere: Settings, MQTT, Enable. Ältere: Internet & Security, Advanced, Enable MQTT. (Ältere nutzen dann die Shelly-Cloud nicht mehr.)
    Die Adresse des Brokers eintragen, etwa 192.168.1.4:1883, dazu Benutzername und Passwort, falls er sie verlangt.
    Neuere: „Generic status update over MQTT“ ankreuzen. Speichern; das Gerät startet neu.
guide-tasmota =
    Die Adresse des Geräts im Browser öffnen.
    „Einstellungen“, dann „MQTT konfigurieren“ wählen.
    Host und Port des Brokers eintragen, dazu Benutzername und Passwort, falls er sie verlangt. Speichern; das Gerät startet neu.
    Für schnellere Werte in der Konsole „TelePeriod 10“ eingeben.
guide-zigbee2mqtt =
    Zigbee2MQTT nutzt immer einen Broker. Seine Adresse steht unter Einstellungen, MQTT (oder „server:“ in configuration.yaml).
    Dieselbe Adresse unten eintragen.
guide-homeassistant =
    Hat Home Assistant das Add-on Mosquitto, ist das Ihr Broker: unten die Adresse von Home Assistant eintragen, mit Benutzername und Passwort eines Benutzers von Home Assistant.
    Sonst installieren: Einstellungen, Add-ons, Mosquitto broker. Danach die MQTT-Integration hinzufügen.
    Geräte, die sich per MQTT bei Home Assistant anmelden, werden auch hier verstanden.
guide-way-broker = Broker eintragen
guide-way-broker-detail = Falls es bei Ihnen schon einen MQTT-Broker gibt, etwa in Home Assistant, auf einem NAS oder einem Raspberry Pi.
guide-broker-connected = { $host }: verbunden, der erste Wert steht noch aus.
guide-broker-connecting = { $host }: verbindet…
guide-broker-failing = { $host }: keine Verbindung. Bitte Adresse und Passwort prüfen.
guide-way-own = Kein Broker im Haus?
guide-own-address = Er läuft. Tragen Sie in Ihren Zählern { $host }, Port { $port }, als MQTT-Server ein.
guide-demo = Nur mal schauen?
guide-demo-detail = Ein ausgedachter Haushalt mit Solarstrom, Elektroauto, einem Jahr voller Tage und einem Budget, das knapp wird.
guide-demo-try = Demo-Haushalt ausprobieren
guide-tariff = Was kostet Sie eine Kilowattstunde? Mit dem Preis sehen Sie auch Kosten.
guide-tariff-enter = Preis eintragen
guide-tariff-later = Jetzt nicht

# --- data
data-title = Ihre Daten
data-size = Alles liegt dort, wo Hearthwatt läuft: { $size }.
data-free = Davon sind { $size } frei für neue Messwerte.
data-since = Sekundenwerte gibt es ab { $when }, Verbrauch nach Viertelstunden von Anfang an.
data-keep = Sekundenwerte aufbewahren
data-keep-hint = Verbrauch nach Viertelstunden, Tagen und Monaten bleibt für immer.
data-keep-forever = für immer
data-keep-days = { $n } Tage
data-keep-year = ein Jahr
data-keep-years = { $n } Jahre
data-shorten = Sekundenwerte aus der Zeit vor { $when } werden gelöscht und lassen sich nicht zurückholen. Der Verlauf behält seine Viertelstunden.
data-shorten-do = Löschen
data-kept = Gespeichert.
data-export = Alles exportieren
data-export-hint = Eine Datei mit allen Messwerten, Einstellungen, Budgets und Meldungen, als Text, den andere Programme lesen können. Passwörter sind nicht dabei.
data-exporting = Die Datei wird geschrieben …
data-export-download = Ihr Browser lädt die Datei herunter.
data-export-file = Alles ist in { $path }.
data-import = Datei importieren
data-import-hint = Ein Export oder eine Kopie der Datenbank tritt an die Stelle dieses Haushalts.
data-import-ask = Diesen Haushalt durch „{ $name }“ ({ $size }) ersetzen? Was jetzt hier ist, bleibt daneben im Datenordner liegen.
data-import-do = Haushalt ersetzen
data-importing = Die Datei wird gelesen. Bei Jahren von Messwerten dauert das einige Minuten; der Haushalt läuft so lange weiter.
data-imported = Das ist jetzt der Haushalt aus „{ $name }“.
data-leave-demo = Verlassen Sie den Demo-Haushalt, um eine Datei zu importieren.
