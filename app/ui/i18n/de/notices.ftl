# What the engine says is wrong, by its code. $about: der Name (eines Brokers), $detail: was sich nicht übersetzen lässt.
notice-broker-unreachable = Der Broker { $about } ist nicht erreichbar ({ $detail }). Solange fehlen seine Messwerte. Hearthwatt versucht es weiter: Prüfen Sie, ob er eingeschaltet und in diesem Netz ist.
notice-broker-bad-credentials = Der Broker { $about } will ein Passwort oder lehnt das gespeicherte ab. Solange fehlen seine Messwerte. Geben Sie es unter Zuhause > Broker ein.
notice-broker-bad-certificate = Dem Zertifikat des Brokers { $about } vertraut dieser Computer nicht. Solange fehlen seine Messwerte. { $detail }. Geben Sie unter Zuhause > Broker das Zertifikat seiner Zertifizierungsstelle an.
notice-broker-refuses-topics = Der Broker { $about } lässt Hearthwatt { $detail } nicht mithören. Zähler, die dort senden, fehlen. Erlauben Sie ihm in der Zugriffsliste des Brokers, diese Themen zu lesen.
notice-disk-full = Die Festplatte ist voll. Gespeichertes ist sicher, Neues wartet im Arbeitsspeicher, solange dort Platz ist. Schaffen Sie Platz.
notice-database-read-only = In den Datenordner lässt sich nicht schreiben. Gespeichertes ist sicher, Neues wartet im Arbeitsspeicher. Prüfen Sie die Rechte des Ordners und die Festplatte. { $detail }
notice-database-corrupt = Die Datenbank ist beschädigt. Starten Sie Hearthwatt neu: Es bewahrt die beschädigte Datei auf und baut aus allem Lesbaren eine neue.
notice-database-rebuilt = Die Datenbank war beschädigt und wurde aus allem Lesbaren neu gebaut. Fehlen im Verlauf Tage, importieren Sie eine Sicherung. Die beschädigte Datei liegt unter { $detail }.
notice-database-newer = Dieser Haushalt wurde von einem neueren Hearthwatt geschrieben. Nichts wurde verändert. Aktualisieren Sie Hearthwatt.
notice-second-instance = Ein anderes Hearthwatt hat diesen Haushalt geöffnet und speichert weiter. Benutzen Sie jenes, oder beenden Sie es.
notice-clock-jumped = Die Uhr dieses Computers ist gesprungen. Die Messwerte dieser Zeit tragen die Zeit der Uhr, keiner ist verloren. Prüfen Sie, ob die Uhr jetzt stimmt.
notice-readings-lost = Messwerte gingen verloren, weil sie zu schnell kamen, zu groß waren oder die Festplatte sie nicht rechtzeitig nahm. Zählerstände gleichen das aus, wo ein Zähler welche hat.
notice-too-many-topics = Es melden sich mehr Zähler, als Hearthwatt verfolgt. Bekannte werden weiter gelesen, weitere nicht. Suchen Sie nach einem Gerät, das unter immer neuen Namen sendet.
notice-network-gone = Dieser Computer hat kein Netz. Gespeichertes, Budgets und Zähler an diesem Computer gehen weiter; andere sind wieder zu hören, sobald das Netz zurück ist.
notice-discovery-unavailable = Im Netz lassen sich keine Geräte suchen ({ $detail }). Zähler bekannter Broker werden weiter gelesen; weitere Broker geben Sie unter Zuhause > Broker von Hand an.
