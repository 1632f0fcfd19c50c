/** Where a rule would have fired in the last seven days: a strip a modem, counted in words, as a table for who does not see it. */

import { el, fill, setText, svg } from './dom.js';
import { epoch, lasting, moment, tick } from './format.js';
import { valueText } from './alert-words.js';

const DAYS = 7;
const DAY_S = 86400;
const TYPING_MS = 450;
const LEAST_WIDTH = 4;
const WIDTH = 1000;

export class RulePreview {
	/** `options` as for dashboard.js; `store` for the modems' names and the time. */
	constructor(options, store) {
		Object.assign(this, { _options: options, _store: store, _generation: 0 });
		const { t } = options;
		this.told = el('p', { role: 'status' });
		this.note = el('p.remsim-help', { hidden: true });
		this.strips = el('div.remsim-strips', { 'aria-hidden': 'true' });
		this.table = el('details', { hidden: true });
		this.root = el('section.remsim-panel.remsim-preview', { 'aria-label': t('Preview') }, el('h3', {}, t('In the last seven days')), this.told, this.strips, this.note, this.table);
	}

	/** Ask anew once nothing was typed for a moment; one request at a time, the last wish wins. */
	show(rule, unit) {
		this._wanted = { rule, unit };
		clearTimeout(this._timer);
		this._timer = setTimeout(() => this._ask(), this._generation ? TYPING_MS : 0);
	}

	/** The rule is not whole yet. */
	lacks(text) {
		clearTimeout(this._timer);
		this._wanted = null;
		this._generation += 1;
		this._clear(text);
	}

	destroy() {
		clearTimeout(this._timer);
		this._wanted = null;
		this._generation += 1;
	}

	_clear(text) {
		fill(this.strips);
		this.table.hidden = this.note.hidden = true;
		setText(this.told, text);
	}

	async _ask() {
		if (this._isAsking || !this._wanted)
			return;
		const { rule, unit } = this._wanted, { t, request } = this._options, generation = ++this._generation;
		this._wanted = null;
		this._isAsking = true;
		const slow = setTimeout(() => setText(this.told, t('Looking back …')), 300);
		try {
			const answer = await request('alert-rules/preview', { method: 'POST', body: { ...rule, range: `${DAYS}d` } });
			clearTimeout(slow);
			if (generation === this._generation)
				this._draw(answer, unit);
		} catch (error) {
			clearTimeout(slow);
			if (generation === this._generation)
				this._clear(error.status === 422 ? t('The preview waits for the rule: %s', error.message) : error.message);
		} finally {
			this._isAsking = false;
			if (this._wanted)
				this._ask();
		}
	}

	_draw({ fired, spans, approximate, note }, unit) {
		const { t } = this._options, now = this._store.now(), from = now - DAYS * DAY_S;
		const rows = spans.map(span => ({ ...span, begin: Math.max(from, epoch(span.from)), end: span.to ? epoch(span.to) : now }));
		const longest = Math.max(0, ...rows.map(row => row.end - row.begin));
		setText(this.told, fired === 0 ? t('It would not have fired.') : fired === 1 ? t('It would have fired once, for %s.', lasting(longest)) : t('It would have fired %s times, at most for %s.', fired, lasting(longest)));
		this.root.classList.toggle('remsim-preview-often', fired > 20);
		this.note.hidden = !note && !approximate && fired <= 20;
		setText(this.note, [fired > 20 ? t('That is often: a longer time or a lower limit makes it quieter.') : '', note ? t(note) : approximate ? t('About so: older values are kept as averages.') : ''].filter(Boolean).join(' '));
		const byModem = new Map();
		for (const row of rows)
			byModem.set(row.modem, [...(byModem.get(row.modem) || []), row]);
		fill(this.strips, [...byModem].map(([modem, own]) => el('div.remsim-strip', {}, el('span', {}, this._name(modem)), this._strip(own, from, now), el('span.remsim-number', {}, own.length === 1 ? t('once') : t('%s times', own.length)))),
			byModem.size ? el('div.remsim-strip.remsim-strip-days', {}, el('span'), el('div', {}, Array.from({ length: DAYS }, (_, at) => el('span', {}, tick(from + (at + 0.5) * DAY_S, DAYS * DAY_S).split(' ')[0]))), el('span')) : null);
		this.table.hidden = !rows.length;
		fill(this.table, el('summary', {}, t('Each time')), el('div.remsim-tablebox', { tabindex: '0', role: 'group', 'aria-label': t('Each time') }, el('table.remsim-table', {},
			el('thead', {}, el('tr', {}, [t('Modem'), t('From'), t('Lasted'), t('Worst')].map(word => el('th', { scope: 'col' }, word)))),
			el('tbody', {}, rows.map(row => el('tr', {}, el('td', {}, this._name(row.modem)), el('td', {}, moment(row.begin, now)), el('td', {}, lasting(row.end - row.begin)), el('td', {}, valueText(row.peak, unit, t))))))));
	}

	_name(id) {
		return this._store.modems.get(id)?.name || id || this._options.t('The router');
	}

	_strip(rows, from, now) {
		const place = time => (time - from) / (now - from) * WIDTH;
		return svg('svg', { viewBox: `0 0 ${WIDTH} 16`, preserveAspectRatio: 'none', class: 'remsim-strip-line' },
			Array.from({ length: DAYS - 1 }, (_, at) => svg('path', { d: `M${(at + 1) / DAYS * WIDTH} 0V16`, class: 'remsim-strip-day' })),
			rows.map(row => svg('rect', { x: Math.min(place(row.begin), WIDTH - LEAST_WIDTH), y: 2, height: 12, width: Math.max(LEAST_WIDTH, place(row.end) - place(row.begin)) })));
	}
}
