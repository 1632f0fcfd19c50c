/** How a page gets its data, in its head: live, polling and why not live, cut off. */

import { el, setText } from './dom.js';
import { duration } from './format.js';
import { msg } from './words.js';

/** Why a page polls; what can be done about it stands on the Diagnostics page. */
export const WHY_POLLING = {
	loopback: msg('the service listens on this router only'),
	tls: msg('this page has TLS and the stream has not'),
	unreachable: msg('the stream cannot be reached from this browser'),
	full: msg('all live streams are in use')
};

const MODES = { live: msg('live'), polling: msg('polling'), connecting: msg('connecting …'), paused: msg('paused') };

/** One sentence for a store's link. */
function linkText({ link }, { t, login }) {
	const { mode, since, error, everyS } = link;
	if (mode === 'polling' && everyS)
		return t('polling every %s', duration(everyS));
	if (mode !== 'reconnecting' && mode !== 'refused')
		return t(MODES[mode]);
	const lost = mode === 'refused' ? t('not logged in any more') : t('no connection for %s, trying again', duration(Date.now() / 1000 - since));
	const why = mode === 'refused' && login ? t(login) : error;
	return why ? `${lost} (${why})` : lost;
}

/** The element of a head. `options` as for dashboard.js: t, login, links.page(name). */
export class LinkState {
	constructor(store, options) {
		this._store = store;
		this._options = options;
		this.text = el('span.remsim-link', { role: 'status' });
		const address = options.links?.page?.('diagnostics');
		this.why = address ? el('a.remsim-whylink', { href: address, hidden: true }, options.t('why?')) : null;
		this.root = el('span.remsim-linkstate', {}, this.text, this.why);
	}

	/** Say it again; while there is no connection, once a second. */
	show() {
		const { mode, why } = this._store.link;
		setText(this.text, linkText(this._store, this._options));
		this.text.className = `remsim-link remsim-link-${mode}`;
		const reason = mode === 'polling' && WHY_POLLING[why] ? this._options.t(WHY_POLLING[why]) : '';
		this.text.title = reason;
		if (this.why) {
			this.why.hidden = !reason;
			this.why.title = reason;
		}
	}
}
