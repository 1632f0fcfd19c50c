/** Tells of an alert on a page that nobody looks at: a notification of the browser, a sound, the count in the title. */

const KEPT = 'remsim.tell';
const BEEPS = [[880, 0], [660, 0.22], [880, 0.44]];
const BEEP_S = 0.16;

/** What this browser may tell by: {popup, sound, title}; kept in the browser, as the permission is. */
export function wishes() {
	try {
		return JSON.parse(localStorage.getItem(KEPT)) || {};
	} catch {
		return {}; // a browser that keeps nothing tells nothing
	}
}

/** Keep what is wished; false: this browser keeps nothing. */
export function keepWishes(wanted) {
	try {
		localStorage.setItem(KEPT, JSON.stringify(wanted));
		return true;
	} catch {
		return false;
	}
}

/** Why the browser shows no notifications, in a code: insecure (plain HTTP), none, denied, default (not asked yet); null: it does. */
export function whyNoPopup() {
	if (!window.isSecureContext)
		return 'insecure';
	if (!('Notification' in window))
		return 'none';
	return Notification.permission === 'granted' ? null : Notification.permission;
}

let context = null;

/** Three short tones; browsers allow them after something on the page was pressed. */
export function beep() {
	const Context = window.AudioContext || window.webkitAudioContext;
	if (!Context)
		return;
	context ||= new Context();
	context.resume?.();
	for (const [hertz, after] of BEEPS) {
		const tone = context.createOscillator(), volume = context.createGain(), at = context.currentTime + after;
		tone.frequency.value = hertz;
		volume.gain.setValueAtTime(0.12, at);
		volume.gain.exponentialRampToValueAtTime(0.001, at + BEEP_S);
		tone.connect(volume).connect(context.destination);
		tone.start(at);
		tone.stop(at + BEEP_S);
	}
}

/** A title with the count before it, or without. */
export function titled(title, firing) {
	const bare = title.replace(/^\(\d+\) /, '');
	return firing ? `(${firing}) ${bare}` : bare;
}

export class Notifier {
	constructor(store, { t, links }) {
		Object.assign(this, { _t: t, _address: links.page?.('alerts'), _since: null, _told: new Set() });
		this._stop = [
			store.on('state', state => {
				this._since ??= store.lastId; // what happened before the page was opened is seen, not told
				this._title(state.alerts?.firing || 0);
			}),
			store.on('event', event => this._happened(event))
		];
	}

	_happened(event) {
		if (event.kind !== 'alert' || this._since === null || event.id <= this._since || event.data?.state !== 'firing' || this._told.has(event.id))
			return;
		this._told.add(event.id);
		const { popup, sound } = wishes();
		if (popup && whyNoPopup() === null) {
			const shown = new Notification(this._t('Alert on the router'), { body: event.message, tag: `remsim ${event.data.alert ?? event.id}` });
			shown.onclick = () => {
				window.focus();
				if (this._address)
					location.href = this._address;
			};
		}
		if (sound)
			beep();
	}

	_title(firing) {
		if (wishes().title || /^\(\d+\) /.test(document.title))
			document.title = titled(document.title, wishes().title ? firing : 0);
	}

	destroy() {
		this._stop.forEach(stop => stop());
		document.title = titled(document.title, 0);
	}
}
