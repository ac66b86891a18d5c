//! What the pages and messages say, in English and German. A text that one language lacks does not
//! compile. `{name}`s are filled in by [`fill`].

use super::lang::Lang;

macro_rules! words {
    ($( $name:ident: $en:literal, $de:literal; )*) => {
        /// All texts of one language.
        pub struct Words { $(pub $name: &'static str),* }
        static EN: Words = Words { $($name: $en),* };
        static DE: Words = Words { $($name: $de),* };
        #[cfg(test)]
        static PAIRS: &[(&str, &str, &str)] = &[$((stringify!($name), $en, $de)),*];
    };
}

words! {
    // --- everywhere
    product: "Hearthwatt", "Hearthwatt";
    skip: "Skip to the content", "Zum Inhalt springen";
    email: "E-mail address", "E-Mail-Adresse";
    password: "Password", "Passwort";
    new_password: "New password", "Neues Passwort";
    password_hint: "At least 10 characters. A sentence is fine.", "Mindestens 10 Zeichen. Ein Satz ist auch recht.";
    name: "Your name", "Ihr Name";
    name_hint: "The members of your home see it.", "Die Mitglieder Ihres Zuhauses sehen ihn.";
    go_on: "Continue", "Weiter";
    signed_in_as: "Signed in as {who}.", "Angemeldet als {who}.";
    sign_out: "Sign out", "Abmelden";
    // --- refusals
    wrong_title: "That did not work", "Das hat nicht geklappt";
    wrong_form: "This page was open for too long, or the form came from somewhere else. Go back, load the page again and try once more.",
        "Diese Seite war zu lange offen, oder das Formular kam von anderswo. Gehen Sie zurück, laden Sie die Seite neu und versuchen Sie es noch einmal.";
    wrong_request: "The request can't be read.", "Die Anfrage ist nicht lesbar.";
    not_found: "There is nothing at this address.", "Unter dieser Adresse gibt es nichts.";
    too_many: "Too many attempts. Try again in {wait}.", "Zu viele Versuche. Versuchen Sie es in {wait} wieder.";
    unavailable: "The server can't do that right now. Try again in a moment.", "Der Server kann das gerade nicht. Versuchen Sie es gleich noch einmal.";
    seconds: "{n} seconds", "{n} Sekunden";
    minutes: "{n} minutes", "{n} Minuten";
    // --- front page and first account
    front_title: "A Hearthwatt server", "Ein Hearthwatt-Server";
    front_text: "It shares a home's energy data between the household's devices. To use it, open Hearthwatt on your device, choose Account, and enter this address:",
        "Er teilt die Energiedaten eines Zuhauses zwischen den Geräten des Haushalts. Öffnen Sie Hearthwatt auf Ihrem Gerät, wählen Sie Konto und geben Sie diese Adresse ein:";
    first_title: "Set up this server", "Diesen Server einrichten";
    first_text: "There is no account yet. The first one is yours.", "Es gibt noch kein Konto. Das erste ist Ihres.";
    first_remote: "To show that this server is yours, enter the setup code that it printed when it started.",
        "Um zu zeigen, dass dieser Server Ihnen gehört, geben Sie den Einrichtungscode ein, den er beim Start ausgegeben hat.";
    setup_code: "Setup code", "Einrichtungscode";
    setup_code_wrong: "This is not the setup code. The server printed it when it started.",
        "Das ist nicht der Einrichtungscode. Der Server hat ihn beim Start ausgegeben.";
    first_button: "Create account", "Konto anlegen";
    first_gone: "Somebody has set up this server already. Sign in, or ask for an invitation.",
        "Dieser Server ist schon eingerichtet. Melden Sie sich an, oder bitten Sie um eine Einladung.";
    // --- sign-in
    sign_in: "Sign in", "Anmelden";
    sign_in_with: "Continue with {provider}", "Weiter mit {provider}";
    sign_in_wrong: "The e-mail address or the password is wrong.", "Die E-Mail-Adresse oder das Passwort stimmt nicht.";
    or: "or", "oder";
    forgot_link: "Forgot your password?", "Passwort vergessen?";
    register_link: "No account yet? Create one", "Noch kein Konto? Eines anlegen";
    sign_in_to_link: "An account with this e-mail address exists already. Sign in to it first; then you can link {provider} on your account page.",
        "Mit dieser E-Mail-Adresse gibt es schon ein Konto. Melden Sie sich zuerst dort an; danach können Sie {provider} auf Ihrer Kontoseite verknüpfen.";
    // --- register
    register_title: "Create an account", "Konto anlegen";
    register_text: "You will get an e-mail with a link. It is good for a day.", "Sie bekommen eine E-Mail mit einem Link. Er gilt einen Tag.";
    register_button: "Send the link", "Link schicken";
    register_closed: "This server takes new people by invitation. Ask an owner of your home for a link.",
        "Dieser Server nimmt neue Personen auf Einladung auf. Bitten Sie einen Eigentümer Ihres Zuhauses um einen Link.";
    email_wrong: "This is not an e-mail address.", "Das ist keine E-Mail-Adresse.";
    sent_title: "Look into your mailbox", "Sehen Sie in Ihr Postfach";
    sent_text: "If everything is right with {email}, a message with a link is on its way to it. You can close this page.",
        "Wenn mit {email} alles stimmt, ist eine Nachricht mit einem Link unterwegs dorthin. Sie können diese Seite schließen.";
    sent_folder: "This server sends no e-mail. Whoever runs it finds the message in its mail folder; the log says where that is.",
        "Dieser Server verschickt keine E-Mails. Wer ihn betreibt, findet die Nachricht in seinem Mail-Ordner; das Protokoll sagt, wo der ist.";
    verify_title: "Finish your account", "Konto fertigstellen";
    verify_text: "{email} is yours. Now a name and a password:", "{email} gehört Ihnen. Nun ein Name und ein Passwort:";
    link_spent: "This link was used before, or it is too old. Ask for a new one.",
        "Dieser Link wurde schon benutzt oder ist zu alt. Fordern Sie einen neuen an.";
    taken: "There is an account with this e-mail address already. Sign in to it.",
        "Mit dieser E-Mail-Adresse gibt es schon ein Konto. Melden Sie sich dort an.";
    name_wrong: "A name has 1 to 80 characters.", "Ein Name hat 1 bis 80 Zeichen.";
    password_short: "The password is too short: at least 10 characters.", "Das Passwort ist zu kurz: mindestens 10 Zeichen.";
    password_long: "The password is too long: at most 256 characters.", "Das Passwort ist zu lang: höchstens 256 Zeichen.";
    password_guessable: "This password would be guessed quickly. Choose another.", "Dieses Passwort wäre schnell erraten. Wählen Sie ein anderes.";
    // --- forgot and reset
    forgot_title: "Forgot your password?", "Passwort vergessen?";
    forgot_text: "You will get an e-mail with a link to set a new one. It is good for an hour.",
        "Sie bekommen eine E-Mail mit einem Link, um ein neues zu setzen. Er gilt eine Stunde.";
    reset_title: "Set a new password", "Neues Passwort setzen";
    reset_devices: "Also sign out all my devices (if somebody else may have had access)",
        "Auch alle meine Geräte abmelden (falls jemand anderes Zugriff gehabt haben könnte)";
    reset_button: "Set password", "Passwort setzen";
    reset_done: "Your password is changed.", "Ihr Passwort ist geändert.";
    // --- consent
    consent_title: "Let this device in?", "Dieses Gerät zulassen?";
    consent_text: "{device} wants to use your account on {server}. It will see and change the data of your homes.",
        "{device} möchte Ihr Konto auf {server} benutzen. Es wird die Daten Ihrer Zuhause sehen und ändern.";
    consent_care: "Continue only if you have just started to sign in on this device.",
        "Fahren Sie nur fort, wenn Sie gerade selbst auf diesem Gerät mit der Anmeldung begonnen haben.";
    consent_allow: "Let it in", "Zulassen";
    consent_deny: "No", "Nein";
    consent_other: "Use another account", "Ein anderes Konto benutzen";
    consent_wrong: "The request to sign in is not one that this server can answer ({reason}). Start again in the app.",
        "Die Anmeldung kann so nicht beantwortet werden ({reason}). Beginnen Sie in der App von vorn.";
    // --- device
    device_title: "Sign in a device", "Ein Gerät anmelden";
    device_text: "Enter the code that the device shows.", "Geben Sie den Code ein, den das Gerät zeigt.";
    device_code: "Code", "Code";
    device_wrong: "There is no such code, or it is too old. Compare it with what the device shows.",
        "Diesen Code gibt es nicht, oder er ist zu alt. Vergleichen Sie ihn mit dem, was das Gerät zeigt.";
    device_compare: "The device shows the code {code}.", "Das Gerät zeigt den Code {code}.";
    device_done: "{device} is signed in. You can close this page.", "{device} ist angemeldet. Sie können diese Seite schließen.";
    device_denied: "{device} was not let in.", "{device} wurde nicht zugelassen.";
    // --- account
    account_title: "Your account", "Ihr Konto";
    account_devices: "Devices", "Geräte";
    account_no_devices: "No device is signed in.", "Kein Gerät ist angemeldet.";
    account_last_seen: "Last seen {when} (UTC)", "Zuletzt gesehen {when} (UTC)";
    account_remove: "Sign out", "Abmelden";
    account_remove_label: "Sign out {device}", "{device} abmelden";
    account_removed: "The device is signed out.", "Das Gerät ist abgemeldet.";
    account_password: "Change your password", "Passwort ändern";
    account_password_set: "Set a password", "Ein Passwort setzen";
    account_current: "Current password", "Bisheriges Passwort";
    account_current_wrong: "The current password is wrong.", "Das bisherige Passwort stimmt nicht.";
    account_linked: "Linked sign-ins", "Verknüpfte Anmeldungen";
    account_link: "Link {provider}", "{provider} verknüpfen";
    account_link_done: "{provider} is linked.", "{provider} ist verknüpft.";
    account_link_taken: "This sign-in belongs to another account.", "Diese Anmeldung gehört zu einem anderen Konto.";
    account_none: "None.", "Keine.";
    // --- provider
    provider_failed: "The sign-in with {provider} did not succeed. Try again.", "Die Anmeldung mit {provider} ist nicht gelungen. Versuchen Sie es noch einmal.";
    provider_away: "{provider} can't be reached right now. Try again in a moment.", "{provider} ist gerade nicht erreichbar. Versuchen Sie es gleich noch einmal.";
    provider_closed: "This server takes no new people by {provider}.", "Dieser Server nimmt über {provider} keine neuen Personen auf.";
    // --- join
    join_title: "You are invited", "Sie sind eingeladen";
    join_text: "Open Hearthwatt on your device, choose Account, then \"Accept an invitation\", and paste this link or type the code:",
        "Öffnen Sie Hearthwatt auf Ihrem Gerät, wählen Sie Konto, dann \"Einladung annehmen\", und fügen Sie diesen Link ein oder tippen Sie den Code:";
    join_register: "You have no account on this server yet? Create one first:", "Sie haben auf diesem Server noch kein Konto? Legen Sie zuerst eines an:";
    join_spent: "This invitation was used, withdrawn, or is too old. Ask for a new one.",
        "Diese Einladung wurde benutzt, zurückgezogen oder ist zu alt. Bitten Sie um eine neue.";
    // --- messages
    mail_verify_subject: "Your Hearthwatt account", "Ihr Hearthwatt-Konto";
    mail_verify_text: "Hello,\n\nsomebody wants to create an account on the Hearthwatt server {server} with this e-mail address. If it was you, open this link within a day:\n\n{link}\n\nIf not, you need not do anything: no account is made.\n",
        "Guten Tag,\n\njemand möchte auf dem Hearthwatt-Server {server} mit dieser E-Mail-Adresse ein Konto anlegen. Wenn Sie das waren, öffnen Sie binnen eines Tages diesen Link:\n\n{link}\n\nWenn nicht, brauchen Sie nichts zu tun: Es entsteht kein Konto.\n";
    mail_exists_text: "Hello {name},\n\nsomebody wants to create an account on the Hearthwatt server {server} with this e-mail address, but you have one already. To sign in, open:\n\n{link}\n\nThere you can also set a new password. If it was not you, you need not do anything.\n",
        "Guten Tag {name},\n\njemand möchte auf dem Hearthwatt-Server {server} mit dieser E-Mail-Adresse ein Konto anlegen, aber Sie haben schon eines. Zum Anmelden öffnen Sie:\n\n{link}\n\nDort können Sie auch ein neues Passwort setzen. Wenn Sie das nicht waren, brauchen Sie nichts zu tun.\n";
    mail_reset_subject: "A new password for Hearthwatt", "Ein neues Passwort für Hearthwatt";
    mail_reset_text: "Hello {name},\n\nto set a new password on the Hearthwatt server {server}, open this link within an hour:\n\n{link}\n\nIf you did not ask for it, you need not do anything: your password stays as it is.\n",
        "Guten Tag {name},\n\num auf dem Hearthwatt-Server {server} ein neues Passwort zu setzen, öffnen Sie binnen einer Stunde diesen Link:\n\n{link}\n\nWenn Sie das nicht angefordert haben, brauchen Sie nichts zu tun: Ihr Passwort bleibt, wie es ist.\n";
    mail_unknown_text: "Hello,\n\nsomebody wants to set a new password on the Hearthwatt server {server} for this e-mail address, but there is no account with it. If it was you: perhaps you used another address, or a sign-in of another service. If not, you need not do anything.\n\n{link}\n",
        "Guten Tag,\n\njemand möchte auf dem Hearthwatt-Server {server} für diese E-Mail-Adresse ein neues Passwort setzen, aber zu ihr gibt es kein Konto. Wenn Sie das waren: Vielleicht haben Sie eine andere Adresse benutzt, oder die Anmeldung eines anderen Dienstes. Wenn nicht, brauchen Sie nichts zu tun.\n\n{link}\n";
    mail_changed_subject: "Your Hearthwatt password was changed", "Ihr Hearthwatt-Passwort wurde geändert";
    mail_changed_text: "Hello {name},\n\nyour password on the Hearthwatt server {server} was changed just now. If it was not you, set a new one at once:\n\n{link}\n",
        "Guten Tag {name},\n\nIhr Passwort auf dem Hearthwatt-Server {server} wurde gerade geändert. Wenn Sie das nicht waren, setzen Sie sofort ein neues:\n\n{link}\n";
}

impl Lang {
    pub fn words(self) -> &'static Words {
        match self {
            Self::En => &EN,
            Self::De => &DE,
        }
    }
}

/// The text with its `{name}`s replaced. Values aren't searched again, so nothing a person typed is
/// taken for a placeholder.
pub fn fill(text: &str, values: &[(&str, &str)]) -> String {
    let mut filled = String::with_capacity(text.len() + 32);
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        filled.push_str(before);
        let Some((name, after)) = after.split_once('}') else {
            rest = after;
            break;
        };
        filled.push_str(values.iter().find(|(n, _)| *n == name).map_or("", |(_, v)| v));
        rest = after;
    }
    filled.push_str(rest);
    filled
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Vec<&str> {
        let mut names: Vec<&str> = text.split('{').skip(1).filter_map(|t| t.split('}').next()).collect();
        names.sort_unstable();
        names
    }

    #[test]
    fn both_languages_fill_in_the_same() {
        for (name, en, de) in PAIRS {
            assert_eq!(names(en), names(de), "{name}");
            assert!(!en.is_empty() && !de.is_empty(), "{name}");
        }
    }

    #[test]
    fn filled_in_text_is_not_searched_again() {
        assert_eq!(fill("{a} and {b}.", &[("a", "{b}"), ("b", "x")]), "{b} and x.");
    }
}
