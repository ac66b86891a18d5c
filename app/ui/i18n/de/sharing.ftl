
# --- Teilen
nav-sharing = Teilen
error-signed-out = Dieses Gerät ist nicht angemeldet, oder der Haushalt ist nicht geteilt. Unter „Teilen“ anmelden.
sync-off = Nicht geteilt
sync-signing-in = Anmeldung läuft…
sync-up-to-date = Auf dem neuesten Stand
sync-waiting = { $n ->
    [one] Eine Änderung wartet
   *[other] { $n } Änderungen warten
}
sync-blocks-waiting = { $n ->
    [one] Ein Tag Verlauf zu senden
   *[other] { $n } Tage Verlauf zu senden
}
sync-connecting = Verbindet…
sync-last-reached = Server zuletzt erreicht: { $when }
sync-never-reached = Server noch nicht erreicht
sync-removed = Dieses Gerät wurde entfernt
sync-read-only = Zum Ändern Hearthwatt aktualisieren
sync-to-decide = { $n ->
    [one] Eine Sache zu entscheiden
   *[other] { $n } Sachen zu entscheiden
}
sharing-begin = Haushalt teilen
sharing-open = Personen und Geräte
sharing-alone = Dieser Haushalt ist nur auf diesem Gerät.
sharing-title = Ein Haushalt auf mehreren Geräten
sharing-what = Mit der Anmeldung bei einem Server sehen alle daheim denselben Haushalt: am Küchentisch, auf dem Handy, unterwegs. Den Server kann jeder betreiben, auch Sie.
sharing-goes = Was der Server bekommt
sharing-goes-list =
    Namen von Zählern und Räumen, Preise, Budgets, Hinweise
    Energie in Schritten von 15 Minuten, für die Diagramme aller
sharing-stays = Was auf diesem Gerät bleibt
sharing-stays-list =
    Jeder einzelne Messwert
    Adressen und Passwörter Ihrer Broker
sharing-without = Alles hier geht auch ohne und läuft weiter, wenn der Server fehlt.
sharing-demo = Der erfundene Haushalt wird nicht geteilt. Verlassen Sie die Demo, um Ihren eigenen zu teilen.
sharing-server = Adresse des Servers
sharing-server-hint = Wer ihn betreibt, kennt sie, zum Beispiel hearth.example.org.
sharing-error-server = Das ist keine Adresse eines Servers. So zum Beispiel: hearth.example.org.
sharing-error-clear = Ohne Verschlüsselung könnten andere mitlesen. Die Adresse muss mit https:// beginnen, außer der Server läuft auf eben diesem Computer.
sharing-sign-in = Anmelden
sharing-invited = Sind Sie eingeladen?
sharing-invited-what = Setzen Sie den Link hier ein. Zuerst melden Sie sich an; dann lässt Sie ein Eigentümer des Haushalts ein.
sharing-invitation = Link oder Code der Einladung
sharing-invitation-link = Link der Einladung
sharing-invitation-hint = Er sieht so aus: https://hearth.example.org/join/7KQ2-…
sharing-error-invitation = Das ist kein Link einer Einladung. Er beginnt mit https:// und enthält /join/.
sharing-accept = Annehmen
sharing-accept-signed-out = Anmelden und annehmen
sharing-accepted = Sie werden erwartet: Sobald ein Eigentümer Sie bestätigt, steht der Haushalt hier.
sharing-signing-in = Anmeldung bei { $server }
sharing-browser = Ihr Browser hat sich geöffnet. Melden Sie sich dort an; diese Seite geht von selbst weiter.
sharing-browser-again = Hat er sich nicht geöffnet?
sharing-browser-link = Anmeldeseite öffnen
sharing-copy = Kopieren
sharing-copy-link = Link kopieren
sharing-copied = Kopiert.
sharing-copy-by-hand = Der Browser lässt diese Seite nicht kopieren. Der Text ist markiert: Strg+C drücken (auf dem Mac ⌘C).
sharing-code-how = Öffnen Sie diese Seite auf Handy oder Computer:
sharing-code-enter = und geben Sie dort diesen Code ein:
sharing-code-scan = Oder scannen Sie dies mit dem Handy:
sharing-code-until = Der Code gilt bis { $time }. Diese Seite geht von selbst weiter.
sharing-code-wait = Der Server wird gefragt…
sharing-code-qr = QR-Code mit der Adresse der Anmeldeseite
sharing-cancel = Abbrechen
sharing-notice-refused = Die Anmeldung wurde abgelehnt. Hier hat sich nichts geändert.
sharing-notice-expired = Niemand hat sich in der Zeit angemeldet. Bitte noch einmal versuchen.
sharing-notice-unreachable = Der Server hat nicht geantwortet. Prüfen Sie seine Adresse und ob dieses Gerät online ist.
sharing-notice-device-removed = Der Zugang dieses Geräts wurde beendet. Der Haushalt bleibt hier, wie er war, und ist nicht mehr geteilt. Melden Sie sich neu an, falls das ein Versehen war.
sharing-notice-membership-ended = Sie nehmen an jenem Haushalt nicht mehr teil, oder es gibt ihn nicht mehr. Was hier war, bleibt hier und ist nicht mehr geteilt.
sharing-account = Konto
sharing-account-at = { $email } bei { $server }
sharing-device = Dieses Gerät
sharing-token = Der Zugang liegt
sharing-token-keyring = im Schlüsselbund des Systems
sharing-token-file = in einer Datei Ihres Benutzerkontos
sharing-token-file-why = Hier gibt es keinen Schlüsselbund. Wer Ihr Benutzerkonto auf diesem Computer benutzen kann, kann auch den Zugang benutzen. Melden Sie sich ab, bevor Sie den Computer weitergeben.
sharing-reason = Der Server sagt: { $reason }
sharing-tries = Neuer Versuch läuft von selbst. Alles hier geht weiter, und Änderungen werden später gesendet.
sharing-read-only = Ein neueres Hearthwatt hat diesen Haushalt geändert. Sie können alles ansehen; um etwas zu ändern, aktualisieren Sie dieses.
sharing-sign-out = Abmelden
sharing-sign-out-ask = Auf diesem Gerät abmelden?
sharing-sign-out-keep = Abmelden, Haushalt hier behalten
sharing-sign-out-keep-what = Der Haushalt mit allen Messwerten bleibt auf diesem Gerät, für sich allein.
sharing-sign-out-wipe = Abmelden und Haushalt hier löschen
sharing-sign-out-wipe-what = Messwerte, Budgets und Preise werden von diesem Gerät gelöscht. Einzelne Messwerte gibt es nirgends sonst; was der Server hat, bleibt dort.
sharing-sign-out-waiting = { $n ->
    [one] Eine Änderung von hier hat den Server noch nicht erreicht. Beim Löschen geht sie verloren.
   *[other] { $n } Änderungen von hier haben den Server noch nicht erreicht. Beim Löschen gehen sie verloren.
}
sharing-signed-out = Abgemeldet.
sharing-homes = Ihre Haushalte
sharing-share = „{ $home }“ teilen
sharing-share-what = Der Haushalt dieses Geräts kommt auf den Server. Dort gehört er Ihnen, und Sie können andere einladen.
sharing-share-do = Diesen Haushalt teilen
sharing-join-what = Haushalte, an denen Sie teilnehmen. Einer davon kann der Haushalt dieses Geräts sein.
sharing-join = Hier nutzen
sharing-join-named = „{ $home }“ hier nutzen
sharing-home-pending = ein Eigentümer muss Sie noch bestätigen
sharing-join-ask = Was soll aus dem Haushalt werden, den dieses Gerät bisher hat?
sharing-join-replace = Beiseitelegen
sharing-join-replace-what = „{ $home }“ tritt an seine Stelle. Gelöscht wird nichts: Der alte Haushalt bleibt in seinem Ordner, wird aber nicht mehr gezeigt.
sharing-join-merge = Aus beiden einen machen
sharing-join-merge-what = Zähler, Preise, Budgets und Hinweise von beiden kommen in „{ $home }“ zusammen, für alle. Richtig, wenn Sie denselben Haushalt auf zwei Geräten begonnen haben. Es lässt sich nicht rückgängig machen.
sharing-join-do-replace = Beiseitelegen und „{ $home }“ nutzen
sharing-join-do-merge = Mit „{ $home }“ vereinen
sharing-joined = „{ $home }“ ist jetzt auf diesem Gerät.
sharing-shared = Der Haushalt ist geteilt.
sharing-you-owner = Sie sind Eigentümer: Sie entscheiden, wer teilnimmt.
sharing-you-member = Sie sind Mitglied: Sie sehen und ändern alles.
sharing-you-viewer = Sie sind Zuschauer: Sie sehen alles und ändern nichts.
sharing-leave = Haushalt verlassen
sharing-leave-ask = „{ $home }“ verlassen? Er bleibt auf diesem Gerät, für sich allein. Um wieder teilzunehmen, brauchen Sie eine Einladung.
sharing-leave-do = Verlassen
sharing-left = Sie haben „{ $home }“ verlassen.
sharing-as-of = Stand { $when }; der Server ist gerade nicht zu fragen.
sharing-not-heard = Der Server wurde noch nicht gefragt. Die Liste kommt mit der ersten Verbindung.
sharing-locked-viewer = Sie können hier alles ansehen. Zum Ändern braucht es die Rolle Mitglied; ein Eigentümer des Haushalts kann sie Ihnen geben.
sharing-locked-update = Ein neueres Hearthwatt hat diesen Haushalt geändert. Aktualisieren Sie dieses, um etwas zu ändern; Ansehen und Aufzeichnen gehen weiter.
role-owner = Eigentümer
role-owner-what = entscheidet, wer teilnimmt
role-member = Mitglied
role-member-what = sieht und ändert alles
role-viewer = Zuschauer
role-viewer-what = sieht alles, ändert nichts
members-title = Personen
members-role = Rolle von { $name }
members-role-now = Rolle von { $name }: { $role }.
members-me = Sie
members-pending = hat eine Einladung angenommen
members-pending-what = Ist es wirklich die gemeinte Person? Nach „Einlassen“ sieht sie diesen Haushalt.
members-let-in = Einlassen
members-let-in-named = { $name } einlassen
members-refuse = Ablehnen
members-refuse-named = { $name } ablehnen
members-remove = Entfernen
members-remove-named = { $name } entfernen
members-remove-ask = { $name } entfernen? Der Zugang endet sofort auf allen Geräten dieser Person; was sie schon haben, bleibt auf ihnen.
members-waiting = { $n ->
    [one] Eine Person wartet darauf, eingelassen zu werden.
   *[other] { $n } Personen warten darauf, eingelassen zu werden.
}
devices-title = Geräte
devices-here = dieses Gerät
devices-of = von { $owner }
devices-seen = zuletzt gesehen: { $when }
devices-never-seen = noch nicht gesehen
devices-remove = Entfernen
devices-remove-named = { $name } entfernen
devices-remove-ask = „{ $name }“ entfernen? Der Zugang endet sofort. Was das Gerät schon hat, bleibt auf ihm.
devices-remove-do = Entfernen
invite-title = Jemanden einladen
invite-as = Als
invite-make = Einladung erstellen
invite-how = Senden Sie diesen Link, oder lassen Sie den Code scannen. Er gilt einmal, bis { $when }; danach lassen Sie die Person hier ein.
invite-once = Nur Sie sehen ihn, und nur jetzt.
invite-link = Link
invite-qr = QR-Code mit dem Link der Einladung
invite-done = Fertig
invite-open = Noch nicht genutzt
invite-open-line = { $role }, bis { $when }
invite-by = von { $name }
invite-revoke = Zurücknehmen
invite-revoke-named = Einladung als { $role } zurücknehmen, gültig bis { $when }
invite-revoked = Die Einladung ist zurückgenommen.
conflicts-title = Zu entscheiden
conflicts-what = Zwei Geräte haben dasselbe geändert, bevor sie voneinander wussten. Ein Wert gilt, bis Sie wählen.
conflict-profile = Haushalt
conflict-meter = Zähler
conflict-tariff = Preis
conflict-budget = Budget
conflict-alert = Hinweis
conflict-correction = Korrektur
conflict-thing = { $kind } „{ $name }“
conflict-field-of = { $thing }: { $field }
conflict-field-name = Name
conflict-field-limit = höchstens
conflict-field-period = Zeitraum
conflict-field-scope = wovon
conflict-field-thresholds = Prozentwerte
conflict-field-warn-on-forecast = Hinweis vorab
conflict-field-room = Raum
conflict-field-role = was er misst
conflict-field-parent = auch gemessen von
conflict-field-inverted = Richtung
conflict-field-time-zone = Zeitzone
conflict-field-currency = Währung
conflict-field-bill-day = Tag der Abrechnung
conflict-here = dieses Gerät
conflict-device = „{ $name }“
conflict-elsewhere = ein anderes Gerät
conflict-set = { $who } hat { $value } eingestellt
conflict-removed = { $who } hat es entfernt
conflict-kept = { $who } hat es behalten
conflict-quoted = „{ $text }“
conflict-yes = „ja“
conflict-nothing = „nichts“
conflict-no = „nein“
conflict-keep = { $value } behalten
conflict-take = { $value } nehmen
conflict-keep-it = Behalten
conflict-bring-back = Zurückholen
conflict-keep-removed = Entfernt lassen
conflict-remove = Entfernen
conflict-decided = Entschieden.
guide-shared = Gibt es Ihren Haushalt schon auf einem anderen Gerät?
guide-shared-detail = Nach der Anmeldung ist er auch hier.
guide-shared-do = Hierher holen
