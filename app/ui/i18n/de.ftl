# --- frame
skip-link = Zum Inhalt springen
nav-label = Ansichten
nav-now = Jetzt
nav-history = Verlauf
nav-budgets = Budgets
nav-alerts = Hinweise
nav-meters = Zähler
nav-home = Zuhause
nav-open-alerts = { $n ->
    [one] offener Hinweis
   *[other] offene Hinweise
}
link-down = Keine Verbindung zum Hub.
link-down-detail = Zu sehen ist der letzte Stand; dort wird weiter aufgezeichnet. Die Seite versucht es von selbst wieder.
demo-banner = Dies ist ein erfundenes Zuhause.
demo-banner-detail = Nichts davon mischt sich mit Ihren eigenen Daten.
demo-leave = Demo verlassen
severity-error = Fehler:
severity-warning = Achtung:
severity-info = Hinweis:
since = seit { $when }
toast-close = Diese Meldung schließen
no-value = kein Wert
error-unavailable = Hearthwatt antwortet gerade nicht. Ihre Messwerte sind sicher; die Seite versucht es von selbst wieder.
error-unauthorized = Diese Seite braucht das Kennwort des Hubs. Öffnen Sie die Adresse, die der Hub beim Start ausgibt.

# --- dates
date-today = Heute
date-yesterday = Gestern
date-day = { $weekday } { $day }. { $month }
date-day-month = { $day }. { $month }
date-day-month-year = { $day }. { $month } { $year }
ago-now = gerade eben
ago-minutes = vor { $n } min
ago-hours = vor { $n } h
weekday-1 = Montag
weekday-2 = Dienstag
weekday-3 = Mittwoch
weekday-4 = Donnerstag
weekday-5 = Freitag
weekday-6 = Samstag
weekday-7 = Sonntag
weekday-short-1 = Mo
weekday-short-2 = Di
weekday-short-3 = Mi
weekday-short-4 = Do
weekday-short-5 = Fr
weekday-short-6 = Sa
weekday-short-7 = So
month-1 = Januar
month-2 = Februar
month-3 = März
month-4 = April
month-5 = Mai
month-6 = Juni
month-7 = Juli
month-8 = August
month-9 = September
month-10 = Oktober
month-11 = November
month-12 = Dezember
month-short-1 = Jan
month-short-2 = Feb
month-short-3 = März
month-short-4 = Apr
month-short-5 = Mai
month-short-6 = Juni
month-short-7 = Juli
month-short-8 = Aug
month-short-9 = Sep
month-short-10 = Okt
month-short-11 = Nov
month-short-12 = Dez

# --- charts
chart-as-table = Als Tabelle zeigen
chart-as-chart = Als Diagramm zeigen
chart-download = Als CSV sichern
chart-help = Pfeiltasten gehen durch die Werte, Plus und Minus vergrößern und verkleinern, Escape zeigt alles.
chart-time = Zeit
chart-quality = Güte
quality-measured = gemessen
quality-interpolated = über eine kurze Pause ergänzt
quality-recovered = über eine Pause verteilt
quality-suspect = zweifelhaft
quality-corrected = berichtigt
quality-none = keine Messwerte

# --- now
now-power = Leistung jetzt
now-spoken = Das Zuhause braucht { $power }
now-silent = Seit über einer Minute hat kein Zähler einen Wert gesendet. Unter Zähler steht, welcher schweigt.
verdict-none = Nach ein paar Tagen steht hier, ob das üblich ist.
verdict-usual = So viel wie sonst { $part ->
    [night] in der { $day }nacht
    [morning] am { $day }morgen
    [afternoon] am { $day }nachmittag
   *[evening] am { $day }abend
} ({ $usual })
verdict-lower = Weniger als sonst { $part ->
    [night] in der { $day }nacht
    [morning] am { $day }morgen
    [afternoon] am { $day }nachmittag
   *[evening] am { $day }abend
} ({ $usual })
verdict-much-lower = Viel weniger als sonst { $part ->
    [night] in der { $day }nacht
    [morning] am { $day }morgen
    [afternoon] am { $day }nachmittag
   *[evening] am { $day }abend
} ({ $usual })
verdict-higher = Mehr als sonst { $part ->
    [night] in der { $day }nacht
    [morning] am { $day }morgen
    [afternoon] am { $day }nachmittag
   *[evening] am { $day }abend
} ({ $usual })
verdict-much-higher = Viel mehr als sonst { $part ->
    [night] in der { $day }nacht
    [morning] am { $day }morgen
    [afternoon] am { $day }nachmittag
   *[evening] am { $day }abend
} ({ $usual })
today-hours = Heute nach Stunden. Am meisten um { $hour }: { $energy }.
today-hours-none = Heute nach Stunden. Noch nichts verbraucht.
flow = Woher die Leistung kommt und wohin sie geht
flow-solar = Sonne
flow-home = Zuhause
flow-grid-in = Aus dem Netz
flow-grid-out = Ins Netz
flow-battery = Batterie
flow-battery-in = In die Batterie
flow-battery-out = Aus der Batterie
role-home = Zuhause
role-grid = Netz
role-solar = Sonne
role-battery = Batterie
live-title = Die letzten Stunden
live-window = Wie weit zurück
live-empty = Die Linien beginnen mit dem ersten Wert eines Zählers für das ganze Haus, die Sonne oder eine Batterie.
window-1h = 1 h
window-6h = 6 h
window-24h = 24 h
month-no-budget = Kein Budget wacht über diesen Monat.
month-set-budget = Eines festlegen
month-spent = { $spent } von { $limit }
month-ends = endet voraussichtlich bei { $range }
month-breaks = etwa ab { $day } über der Grenze
consumers = Was braucht den Strom
consumers-none = Hier erscheinen Steckdosen und Klemmen, die einzelne Geräte messen.
consumers-rest = Von keiner Steckdose gemessen
consumer-today = { $energy } heute

# --- history
history-by = Zeigen nach
history-day = Tag
history-week = Woche
history-month = Monat
history-year = Jahr
history-all = Alles
history-all-years = Alle Jahre
history-earlier = Früher
history-later = Später
history-to-today = Heute
history-range = { $from } – { $to }
history-of = Von
history-whole-home = Ganzes Zuhause
history-compare = Verglichen mit
history-compare-none = Nichts
history-compare-previous = Zeitraum davor
history-compare-last-year = Ein Jahr früher
history-used = Verbraucht
history-taken = verbraucht
history-import = Aus dem Netz
history-export = Ins Netz
history-produced = Erzeugt
history-cost = Kosten
history-before = { $period }
history-less = { $difference } weniger als { $period } ({ $percent })
history-more = { $difference } mehr als { $period } ({ $percent })
history-same = So viel wie { $period }
history-less-so-far = Bisher { $difference } weniger als { $period } bis zum gleichen Zeitpunkt ({ $percent })
history-more-so-far = Bisher { $difference } mehr als { $period } bis zum gleichen Zeitpunkt ({ $percent })
history-same-so-far = Bisher so viel wie { $period } bis zum gleichen Zeitpunkt
history-nothing-before = Damals ({ $period }) wurde nichts aufgezeichnet, womit sich vergleichen ließe.
history-doubtful = { $energy } davon sind nicht unmittelbar gemessen: Schraffiertes wurde über eine Pause ergänzt, Gestricheltes ist zweifelhaft.
history-empty = Keine Messwerte in diesem Zeitraum. Wählen Sie einen anderen, oder sehen Sie unter Zähler nach, wenn welche da sein sollten.
history-chart = Verbrauch, { $period }

# --- first minutes
first-run-looking = Suche nach Zählern in Ihrem Netz …
