/** Who changed what, from where, and what came of it; also what was refused. */

import { el, fill, setText } from './dom.js';
import { epoch, moment } from './format.js';
import { msg } from './words.js';

const PAGE = 30;
const TYPED_MS = 300;
const REFUSED = [401, 403, 429];
const WAYS = { key: msg('the router\'s shell'), luci: msg('LuCI'), token: msg('token'), cookie: msg('browser'), app: msg('app'), ticket: msg('link or code') };

export class AuditPanel {
	constructor(context) {
		const { t } = context;
		this._context = context;
		this.text = el('input', { type: 'search', 'aria-label': t('Only entries with this text'), placeholder: t('Only entries with this text'), maxlength: 100, input: () => this._typed() });
		this.refused = el('input', { type: 'checkbox', change: () => this.load() });
		this.csv = el('a.remsim-button', { download: '' }, t('CSV'));
		this.list = el('ol.remsim-plainlist.remsim-audit');
		this.none = el('p.remsim-absent', { hidden: true });
		this.error = el('p.remsim-problem', { role: 'alert', hidden: true });
		this.older = el('button', { type: 'button', hidden: true, click: () => this._more() }, t('Older'));
		this.help = el('p.remsim-help');
		this.root = el('section.remsim-panel', { 'aria-label': t('What was done') }, el('h2', {}, t('What was done')), this.help,
			el('div.remsim-tools', { role: 'search' }, this.text, el('label.remsim-check', {}, this.refused, el('span', {}, t('Only what failed or was refused'))), this.csv),
			this.error, this.none, this.list, el('div.remsim-submit', {}, this.older));
	}

	/** The newest entries. */
	async load() {
		this._next = null;
		await this._fetch(true);
	}

	_typed() {
		clearTimeout(this._timer);
		this._timer = setTimeout(() => this.load(), TYPED_MS);
	}

	get _filters() {
		return { text: this.text.value.trim() || null, refused: this.refused.checked ? '1' : null };
	}

	async _more() {
		const first = await this._fetch(false);
		first?.focus({ preventScroll: true });
	}

	async _fetch(isNew) {
		const { t, request, apiUrl } = this._context, asked = this._asked = {};
		const url = apiUrl('audit.csv', this._filters);
		this.csv.hidden = !url;
		if (url)
			this.csv.href = url;
		try {
			const { entries, next, kept } = await request('audit', { query: { ...this._filters, limit: PAGE, cursor: this._next } });
			if (asked !== this._asked)
				return null; // another filter was asked for meanwhile
			this.error.hidden = true;
			this._next = next;
			this.older.hidden = next === null;
			setText(this.help, t('Every request that wanted to change something. The newest %s entries of %s days are kept, without secrets.', kept.entries, kept.days));
			const rows = entries.map(entry => this._row(entry));
			if (isNew)
				fill(this.list, rows);
			else
				this.list.append(...rows);
			this.none.hidden = this.list.childElementCount > 0;
			setText(this.none, this._filters.text || this._filters.refused ? t('Nothing fits. Take the filter away to see all.') : t('Nothing was changed yet.'));
			return rows[0] || null;
		} catch (error) {
			this.error.hidden = false;
			setText(this.error, error.message);
			return null;
		}
	}

	_row(entry) {
		const { t, store } = this._context, isBad = entry.status >= 400;
		const who = [entry.user || t('nobody known'), entry.way && t(WAYS[entry.way] || entry.way), entry.address].filter(Boolean).join(' · ');
		const what = Object.entries(entry.what).map(([name, value]) => name === 'what' ? value : `${name}: ${typeof value === 'string' ? value : JSON.stringify(value)}`).join(', ');
		return el('li.remsim-audit-row', { tabindex: '-1' },
			el('time', { datetime: entry.at }, moment(epoch(entry.at), store.now())),
			el(`span.remsim-audit-result${isBad ? '.remsim-audit-bad' : ''}`, {}, !isBad ? t('done') : REFUSED.includes(entry.status) ? t('refused: %s', entry.result) : t('failed: %s', entry.result)),
			el('code', {}, [entry.method, entry.path.replace('/api/v1/', '')].join(' ').trim()),
			el('span.remsim-muted', {}, who), what ? el('span.remsim-audit-what', {}, what) : null);
	}
}
