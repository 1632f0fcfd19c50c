/** The Usage page: what each SIM has carried in its billing cycle, what is left of its cap, and a report to print. */

import { el, fill, setText } from './dom.js';
import { Frame } from './frame.js';
import { UsageCard } from './usage-card.js';

const AGAIN_S = 300;

/** Mount the Usage page into `node`; `options` as for dashboard.js. Returns {destroy, pause, resume, isWaiting}. */
export async function mount(node, options) {
	const page = new UsagePage(node, options);
	await page.start();
	return page;
}

class UsagePage extends Frame {
	constructor(node, options) {
		super(node, options, 'remsim-usagepage');
		const { t, request } = this.options;
		this.cards = new Map();
		this.context = { t, request, options: this.options, store: this.store, changed: text => this._saved(text) };
		this.month = el('select', { 'aria-label': t('Billing cycle'), change: () => { location.hash = this.month.value ? `#month=${this.month.value}` : '#'; } });
		this.print = el('button', { type: 'button', click: () => window.print() }, t('Print'));
		this.exports = ['csv', 'json'].map(kind => el('a.remsim-button', { download: '', hidden: true, title: t('What is shown as a file') }, kind.toUpperCase()));
		this.error = el('div.remsim-problem', { role: 'alert', hidden: true });
		this.none = el('div.remsim-nothing', { hidden: true });
		this.list = el('div.remsim-usages');
		this.made = el('p.remsim-usage-made');
		fill(this.body, el('div.remsim-toolbar', {}, this.month, el('span.remsim-export', {}, this.print, this.exports)), this.error, this.none, this.list, this.made,
			el('details.remsim-panel.remsim-usage-help', {}, el('summary', {}, t('What is counted?')),
				el('p', {}, t('Bytes that went through each modem’s network interface, by days of UTC. The operator counts for itself, by its own clock, so its number may differ a little.')),
				el('p', {}, t('A SIM is known by a hash of its number, so it keeps its account in any modem or slot. A gigabyte is 1000 megabytes, as in plans.'))));
		this._hash = () => this.load();
		window.addEventListener('hashchange', this._hash);
		this._printing = () => this._tables(true);
		this._printed = () => this._tables(false);
		window.addEventListener('beforeprint', this._printing);
		window.addEventListener('afterprint', this._printed);
	}

	destroy() {
		window.removeEventListener('hashchange', this._hash);
		window.removeEventListener('beforeprint', this._printing);
		window.removeEventListener('afterprint', this._printed);
		super.destroy();
	}

	changed() {
		if (!this._askedAt)
			this.load();
	}

	tick() {
		if (this._askedAt && Date.now() / 1000 - this._askedAt > AGAIN_S && !this._month && ['live', 'polling'].includes(this.store.link.mode) && ![...this.cards.values()].some(card => card.isBusy))
			this.load();
	}

	/** Paper has no folds: the days stand on it as a table, and are folded again afterwards if they were. */
	_tables(isPrinting) {
		if (isPrinting)
			this._folded = [...this.list.querySelectorAll('.remsim-usage-table:not([open])')];
		for (const fold of this._folded || [])
			fold.open = isPrinting;
	}

	async load() {
		const month = new URLSearchParams(location.hash.slice(1)).get('month'), generation = this._generation = (this._generation || 0) + 1;
		this._month = month;
		this._askedAt = Date.now() / 1000;
		try {
			const report = await this.options.request('usage/report', { query: { month } });
			if (generation !== this._generation)
				return;
			this.error.hidden = true;
			this._show(report);
		} catch (error) {
			if (generation !== this._generation)
				return;
			const { t } = this.options;
			this.error.hidden = false;
			fill(this.error, error.hint ? `${error.message} – ${error.hint}` : error.message, ' ', el('button', { type: 'button', click: () => this.load() }, t('Try again')));
		}
	}

	_show({ months, sims }) {
		const { t, apiUrl } = this.options, kept = new Map(), month = this._month;
		const choices = month && !months.includes(month) ? [month, ...months] : months;
		fill(this.month, el('option', { value: '' }, t('This billing cycle')), choices.map(one => el('option', { value: one }, this._monthName(one))));
		this.month.value = month || '';
		sims.forEach((sim, at) => {
			const card = this.cards.get(sim.sim) || new UsageCard(this.context, sim);
			card.update(sim);
			kept.set(sim.sim, card);
			if (this.list.children[at] !== card.root)
				this.list.insertBefore(card.root, this.list.children[at] || null);
		});
		for (const [id, card] of this.cards) {
			if (!kept.has(id))
				card.root.remove();
		}
		this.cards = kept;
		this.none.hidden = sims.length > 0;
		this.print.disabled = !sims.length;
		fill(this.none, el('p', {}, month ? t('Nothing was carried in this month.') : t('Nothing was counted yet. It begins with the first byte that a modem carries.')),
			month ? el('a.remsim-button', { href: '#' }, t('This billing cycle')) : null);
		setText(this.made, t('remsim usage report, made %s', new Date(this.store.now() * 1000).toISOString().slice(0, 16).replace('T', ' ')));
		this.exports.forEach((link, at) => {
			const url = sims.length ? apiUrl(at ? 'usage/report' : 'usage/report.csv', { month }) : null;
			link.hidden = !url;
			if (url)
				link.href = url;
		});
	}

	_monthName(month) {
		return new Intl.DateTimeFormat(this.options.locale || document.documentElement.lang || undefined, { month: 'long', year: 'numeric', timeZone: 'UTC' }).format(Date.parse(`${month}-01`));
	}

	async _saved(text) {
		setText(this.told, `✓ ${text}`);
		await this.load();
	}
}
