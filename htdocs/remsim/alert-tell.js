/** How this browser tells of alerts while the page is open: chosen here, kept in the browser. */

import { beep, keepWishes, whyNoPopup, wishes } from './alert-notify.js';
import { el, fill } from './dom.js';
import { msg } from './words.js';

const WHY = {
	insecure: msg('Browsers show notifications only for pages by HTTPS; this page came by plain HTTP. The sound and the title work all the same.'),
	none: msg('This browser has no notifications. The sound and the title work all the same.'),
	denied: msg('Notifications of this page are blocked in the browser. Allow them in the settings of the browser for this address.')
};

export class TellPanel {
	constructor(ctx) {
		const { t } = ctx;
		this._ctx = ctx;
		this.note = el('p.remsim-help', { role: 'status' });
		const choice = (name, word) => {
			const box = el('input', { type: 'checkbox', change: () => this._choose(name, box) });
			box.checked = !!wishes()[name];
			return [box, el('label.remsim-check', {}, box, el('span', {}, t(word)))];
		};
		const popup = choice('popup', msg('Notification of the browser')), sound = choice('sound', msg('Sound')), title = choice('title', msg('Count in the title of the tab'));
		this.popup = popup[0];
		this.root = el('details.remsim-panel.remsim-tell', {}, el('summary', {}, el('h2', {}, t('Tell me in this browser'))),
			el('p.remsim-help', {}, t('While a page of remsim is open, also in another tab.')), el('div.remsim-choices', {}, popup[1], sound[1], title[1]), this.note);
		this._why();
	}

	_why() {
		const why = whyNoPopup();
		this.popup.disabled = ['insecure', 'none', 'denied'].includes(why);
		if (why !== null)
			this.popup.checked = false;
		fill(this.note, WHY[why] ? this._ctx.t(WHY[why]) : '');
	}

	async _choose(name, box) {
		const { t } = this._ctx;
		if (name === 'popup' && box.checked && await Notification.requestPermission() !== 'granted')
			box.checked = false;
		if (name === 'sound' && box.checked)
			beep(); // also what lets the browser sound later
		const isKept = keepWishes({ ...wishes(), [name]: box.checked });
		this._why();
		if (!isKept) {
			box.checked = false;
			fill(this.note, t('This browser keeps no settings for this page.'));
		}
		this._ctx.options.refresh();
	}
}
