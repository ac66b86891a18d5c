
# --- sharing
nav-sharing = Sharing
error-signed-out = This device is not signed in, or the home is not shared. Open “Sharing” to sign in.
sync-off = Not shared
sync-signing-in = Signing in…
sync-up-to-date = Up to date
sync-waiting = { $n ->
    [one] One change waiting
   *[other] { $n } changes waiting
}
sync-blocks-waiting = { $n ->
    [one] One day of history to send
   *[other] { $n } days of history to send
}
sync-connecting = Connecting…
sync-last-reached = Server last reached { $when }
sync-never-reached = Server not reached yet
sync-removed = This device was removed
sync-read-only = Update Hearthwatt to edit
sync-to-decide = { $n ->
    [one] One thing to decide
   *[other] { $n } things to decide
}
sharing-begin = Share this home
sharing-open = People and devices
sharing-alone = This home lives on this device alone.
sharing-title = One home on several devices
sharing-what = Sign in to a server, and everyone at home sees the same home: at the kitchen table, on the phone, away. Anyone can run the server, you too.
sharing-goes = What the server gets
sharing-goes-list =
    Names of meters and rooms, prices, budgets, alerts
    Energy in steps of 15 minutes, for everyone's charts
sharing-stays = What stays on this device
sharing-stays-list =
    Every single reading
    Addresses and passwords of your brokers
sharing-without = Everything here works without it, and goes on when the server is away.
sharing-demo = The made-up home is not shared. Leave the demo to share your own.
sharing-server = Address of the server
sharing-server-hint = Whoever runs it knows it, for example hearth.example.org.
sharing-error-server = This is no address of a server. Write it like hearth.example.org.
sharing-error-clear = Without encryption others could read along. The address has to begin with https://, unless the server runs on this very computer.
sharing-sign-in = Sign in
sharing-invited = Were you invited?
sharing-invited-what = Put the link here. You sign in first; then an owner of the home lets you in.
sharing-invitation = Link or code of the invitation
sharing-invitation-link = Link of the invitation
sharing-invitation-hint = It looks like https://hearth.example.org/join/7KQ2-…
sharing-error-invitation = This is no link of an invitation. It begins with https:// and has /join/ in it.
sharing-accept = Accept
sharing-accept-signed-out = Sign in and accept
sharing-accepted = You are expected: as soon as an owner confirms you, the home stands here.
sharing-signing-in = Signing in at { $server }
sharing-browser = Your browser has opened. Sign in there; this page goes on by itself.
sharing-browser-again = Did it not open?
sharing-browser-link = Open the sign-in page
sharing-copy = Copy
sharing-copy-link = Copy the link
sharing-copied = Copied.
sharing-copy-by-hand = The browser does not let this page copy. The text is marked: press Ctrl+C (on a Mac ⌘C).
sharing-code-how = Open this page on your phone or computer:
sharing-code-enter = and enter this code there:
sharing-code-scan = Or scan this with the phone:
sharing-code-until = The code is good until { $time }. This page goes on by itself.
sharing-code-wait = Waiting for the server…
sharing-code-qr = QR code with the address of the sign-in page
sharing-cancel = Cancel
sharing-notice-refused = Signing in was refused. Nothing has changed here.
sharing-notice-expired = Nobody signed in within the time. Please try again.
sharing-notice-unreachable = There was no answer from the server. Check its address, and whether this device is online.
sharing-notice-device-removed = This device's access was ended. The home stays here as it was, and is no longer shared. Sign in again if that was a mistake.
sharing-notice-membership-ended = You no longer take part in that home, or it no longer exists. What was here stays here, and is no longer shared.
sharing-account = Account
sharing-account-at = { $email } at { $server }
sharing-device = This device
sharing-token = Access kept in
sharing-token-keyring = the system's keyring
sharing-token-file = a file of your user account
sharing-token-file-why = There is no keyring here. Whoever can use your user account on this computer can use the access too. Sign out before you pass the computer on.
sharing-reason = The server says: { $reason }
sharing-tries = Trying again by itself. Everything here goes on meanwhile, and changes are sent later.
sharing-read-only = A newer Hearthwatt has changed this home. You can look at everything; to change something, update this one.
sharing-sign-out = Sign out
sharing-sign-out-ask = Sign out on this device?
sharing-sign-out-keep = Sign out, keep the home here
sharing-sign-out-keep-what = The home with all its readings stays on this device, on its own.
sharing-sign-out-wipe = Sign out and delete the home here
sharing-sign-out-wipe-what = Readings, budgets and prices are deleted from this device. Single readings are nowhere else; what the server has stays there.
sharing-sign-out-waiting = { $n ->
    [one] One change made here has not reached the server. Deleting loses it.
   *[other] { $n } changes made here have not reached the server. Deleting loses them.
}
sharing-signed-out = Signed out.
sharing-homes = Your homes
sharing-share = Share “{ $home }”
sharing-share-what = The home of this device goes to the server. It becomes yours there, and you can invite others.
sharing-share-do = Share this home
sharing-join-what = Homes that you take part in. One of them can be the home of this device.
sharing-join = Use here
sharing-join-named = Use “{ $home }” here
sharing-home-pending = an owner still has to confirm you
sharing-join-ask = What should become of the home that this device has had until now?
sharing-join-replace = Put it aside
sharing-join-replace-what = “{ $home }” takes its place. Nothing is deleted: the old home stays in its folder, but is no longer shown.
sharing-join-merge = Make one home of both
sharing-join-merge-what = Meters, prices, budgets and alerts of both come together in “{ $home }”, for everyone. Choose this if you began the same home on two devices. It can't be undone.
sharing-join-do-replace = Put aside and use “{ $home }”
sharing-join-do-merge = Merge into “{ $home }”
sharing-joined = “{ $home }” is now on this device.
sharing-shared = The home is shared.
sharing-you-owner = You are an owner: you decide who takes part.
sharing-you-member = You are a member: you see and change everything.
sharing-you-viewer = You are a viewer: you see everything and change nothing.
sharing-leave = Leave this home
sharing-leave-ask = Leave “{ $home }”? It stays on this device, on its own. To take part again you need an invitation.
sharing-leave-do = Leave
sharing-left = You have left “{ $home }”.
sharing-as-of = As of { $when }; the server can't be asked right now.
sharing-not-heard = The server has not been asked yet. The list comes with the first connection.
sharing-locked-viewer = You can look at everything here. Changing it takes the role of a member; an owner of the home can give it to you.
sharing-locked-update = A newer Hearthwatt has changed this home. Update this one to make changes; looking and recording go on.
role-owner = Owner
role-owner-what = decides who takes part
role-member = Member
role-member-what = sees and changes everything
role-viewer = Viewer
role-viewer-what = sees everything, changes nothing
members-title = People
members-role = Role of { $name }
members-role-now = { $name } is now { $role }.
members-me = you
members-pending = has accepted an invitation
members-pending-what = Is it really them? After “Let in” they see this home.
members-let-in = Let in
members-let-in-named = Let in { $name }
members-refuse = Refuse
members-refuse-named = Refuse { $name }
members-remove = Remove
members-remove-named = Remove { $name }
members-remove-ask = Remove { $name }? Their devices lose access at once; what they already have stays on them.
members-waiting = { $n ->
    [one] One person waits to be let in.
   *[other] { $n } people wait to be let in.
}
devices-title = Devices
devices-here = this device
devices-of = of { $owner }
devices-seen = last seen { $when }
devices-never-seen = not seen yet
devices-remove = Remove
devices-remove-named = Remove { $name }
devices-remove-ask = Remove “{ $name }”? Its access ends at once. What it already has stays on it.
devices-remove-do = Remove
invite-title = Invite someone
invite-as = As
invite-make = Make an invitation
invite-how = Send this link, or let them scan the code. It works once, until { $when }; afterwards you let the person in here.
invite-once = Only you see it, and only now.
invite-link = Link
invite-qr = QR code with the link of the invitation
invite-done = Done
invite-open = Not used yet
invite-open-line = { $role }, until { $when }
invite-by = by { $name }
invite-revoke = Take back
invite-revoke-named = Take back the invitation as { $role }, good until { $when }
invite-revoked = The invitation is taken back.
conflicts-title = To decide
conflicts-what = Two devices changed the same thing before they heard of each other. One value holds until you choose.
conflict-profile = Home
conflict-meter = Meter
conflict-tariff = Price
conflict-budget = Budget
conflict-alert = Alert
conflict-correction = Correction
conflict-thing = { $kind } “{ $name }”
conflict-field-of = { $thing }: { $field }
conflict-field-name = name
conflict-field-limit = at most
conflict-field-period = period
conflict-field-scope = of what
conflict-field-thresholds = percentages
conflict-field-warn-on-forecast = warning ahead
conflict-field-room = room
conflict-field-role = what it measures
conflict-field-parent = also measured by
conflict-field-inverted = direction
conflict-field-time-zone = time zone
conflict-field-currency = currency
conflict-field-bill-day = day of the bill
conflict-here = this device
conflict-device = “{ $name }”
conflict-elsewhere = another device
conflict-set = { $who } set { $value }
conflict-removed = { $who } removed it
conflict-kept = { $who } kept it
conflict-quoted = “{ $text }”
conflict-yes = “yes”
conflict-nothing = “nothing”
conflict-no = “no”
conflict-keep = Keep { $value }
conflict-take = Take { $value }
conflict-keep-it = Keep it
conflict-bring-back = Bring it back
conflict-keep-removed = Leave it removed
conflict-remove = Remove it
conflict-decided = Decided.
guide-shared = Is your home already on another device?
guide-shared-detail = Sign in, and it comes here too.
guide-shared-do = Bring it here
