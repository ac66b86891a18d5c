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

# --- first minutes
first-run-looking = Suche nach Zählern in Ihrem Netz …
