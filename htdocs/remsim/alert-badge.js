/** How many alerts fire, in the head of every page: shape, word and count, leading to the Alerts page. */

import { Notifier } from './alert-notify.js';
import { SEVERITIES } from './alert-words.js';
import { el, fill } from './dom.js';

const SOON_MS = 250;

export class AlertBadge {
	/** `store` tells of states and alerts; `options` as for dashboard.js: t, links {page(name)}, refresh(). */
	constructor(store, options) {
		const { t, links } = options, address = links.page?.('alerts');
		this._t = t;
		this.link = el(address ? 'a' : 'span', { href: address || null });
		this.root = el('span', { role: 'status', hidden: true }, this.link);
		this.notifier = new Notifier(store, options);
		this._stop = [
			store.on('state', state => this.show(state.alerts)),
			store.on('alert', () => { // counts are the router's: ask once for all that changed together
				this._timer ??= setTimeout(() => {
					this._timer = null;
					options.refresh?.().catch(() => {});
				}, SOON_MS);
			})
		];
	}

	/** `alerts`: {firing, pending, worst} of the state; none: nothing evaluates rules here. */
	show(alerts) {
		const firing = alerts?.firing || 0, t = this._t, key = `${firing} ${alerts?.worst}`;
		if (key === this._shown)
			return;
		this._shown = key;
		this.root.hidden = !firing;
		const [shape, word] = SEVERITIES[alerts?.worst] || SEVERITIES.warning;
		this.link.className = `remsim-firing remsim-firing-${alerts?.worst}`;
		fill(this.link, el('span', { 'aria-hidden': 'true' }, `${shape} `), t('%s firing · worst: %s', firing, t(word)));
	}

	destroy() {
		clearTimeout(this._timer);
		this._stop.forEach(stop => stop());
		this.notifier.destroy();
	}
}
