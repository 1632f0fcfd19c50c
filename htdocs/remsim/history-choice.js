/** What History shows: modems, charts, comparison, strips. Kept in the address, and as this browser's habit. */

import { el, fill } from './dom.js';
import { CHARTS, USUAL } from './history-charts.js';

const HABIT = 'remsim-history';
const DAY_S = 86400;
const WEEK_S = 7 * DAY_S;

export class Choice {
	/** `changed()` is called when something else is wanted; `redraw()` when only the looks are. */
	constructor(t, changed, redraw) {
		this._t = t;
		this._changed = changed;
		this.modems = [];
		this.charts = [...USUAL];
		this.compare = '';
		this.strips = 'cell';
		this.showsUnusual = true;
		this._known = [];
		this._read();
		if (new URLSearchParams(location.hash.slice(1)).has('modem'))
			this._keep(); // a link to one modem: more can be chosen from there
		const choose = (name, label, options, then) => el('label.remsim-choice', {}, el('span', {}, label),
			el('select', { change: event => { this[name] = event.target.value; this._keep(); then(); } },
				options.map(([value, text]) => el('option', { value, selected: value === this[name] }, text))));
		this.modemBox = el('div.remsim-modem-choice', { role: 'group', 'aria-label': t('Modems in the charts') });
		this.compareBox = choose('compare', t('Compare with'), [['', t('nothing')], ['before', t('the period before')], ['week', t('the same time last week')]], changed);
		this.chartBox = el('details.remsim-chart-choice', {}, el('summary', {}, t('Charts and colours')),
			el('div.remsim-choices', {}, el('fieldset', {}, el('legend', {}, t('Charts')), CHARTS.map(chart => this._check(chart))),
				choose('strips', t('Coloured strip'), [['cell', t('cells')], ['band', t('bands')], ['technology', t('technologies')], ['none', t('none')]], redraw),
				el('label.remsim-choice', {}, el('input', { type: 'checkbox', checked: this.showsUnusual, change: event => { this.showsUnusual = event.target.checked; this._keep(); changed(); } }), el('span', {}, t('Mark unusual values')))));
		this.root = el('div.remsim-history-choice', {}, this.modemBox, this.compareBox, this.chartBox);
	}

	/** How long before the period the compared one is; 0 for none. */
	shiftS(spanS) {
		if (this.compare === 'week')
			return Math.ceil(spanS / WEEK_S) * WEEK_S;
		return this.compare === 'before' ? spanS : 0;
	}

	/** The charts wanted, in their own order. */
	wanted() {
		return CHARTS.filter(chart => this.charts.includes(chart.id));
	}

	/** The modems wanted, of those that are known; all when none is chosen. */
	of(modems) {
		const chosen = modems.filter(modem => this.modems.includes(modem.id));
		return chosen.length ? chosen : modems;
	}

	/** Modems that a link names and nobody knows. */
	unknown(modems) {
		return this.modems.filter(id => modems.every(modem => modem.id !== id));
	}

	/** Offer these modems. */
	offer(modems) {
		const known = modems.map(modem => `${modem.id} ${modem.name}`).join();
		if (known !== this._offered) {
			this._offered = known;
			this._known = modems;
			fill(this.modemBox, modems.map((modem, at) => el('button.remsim-modem-toggle', { type: 'button', 'data-modem': modem.id, click: () => this._toggle(modem.id) },
				el('span', { class: `remsim-dot remsim-series-${at % 8 + 1}`, 'aria-hidden': 'true' }, '●'), ` ${modem.name}`)));
			this.modemBox.hidden = modems.length < 2;
		}
		const shown = this.of(modems).map(modem => modem.id);
		for (const button of this.modemBox.children)
			button.setAttribute('aria-pressed', String(shown.includes(button.dataset.modem)));
	}

	/** The address was changed by hand or by a link. */
	follow() {
		this._read();
		for (const box of this.chartBox.querySelectorAll('[data-chart]'))
			box.checked = this.charts.includes(box.dataset.chart);
		this.compareBox.querySelector('select').value = this.compare;
		this._offered = null;
	}

	_check(chart) {
		return el('label', {}, el('input', { type: 'checkbox', 'data-chart': chart.id, checked: this.charts.includes(chart.id), change: event => this._chart(chart.id, event.target.checked) }), ` ${this._t(chart.title)}`);
	}

	_chart(id, isWanted) {
		this.charts = CHARTS.map(chart => chart.id).filter(one => one === id ? isWanted : this.charts.includes(one));
		this._keep();
		this._changed();
	}

	/** One modem more or less; never none. */
	_toggle(id) {
		const shown = this.of(this._known).map(modem => modem.id);
		const next = shown.includes(id) ? shown.filter(one => one !== id) : [...shown, id];
		this.modems = next.length === this._known.length ? [] : next.length ? next : shown;
		this._keep();
		this.offer(this._known);
		this._changed();
	}

	_read() {
		const address = new URLSearchParams(location.hash.slice(1)), habit = remembered();
		const list = name => address.get(name)?.split(',').filter(Boolean);
		this.modems = list('modems') || list('modem') || [];
		this.charts = list('charts') || habit.charts || [...USUAL];
		this.compare = ['before', 'week'].includes(address.get('compare')) ? address.get('compare') : '';
		this.strips = address.get('strips') || habit.strips || 'cell';
		this.showsUnusual = address.has('unusual') ? address.get('unusual') !== '0' : habit.unusual ?? true;
	}

	_keep() {
		const address = new URLSearchParams(location.hash.slice(1));
		const put = (name, value) => value ? address.set(name, value) : address.delete(name);
		address.delete('modem');
		put('modems', this.modems.join());
		put('charts', this.charts.join());
		put('compare', this.compare);
		put('strips', this.strips);
		put('unusual', this.showsUnusual ? '' : '0');
		history.replaceState(null, '', `#${address}`);
		try {
			localStorage.setItem(HABIT, JSON.stringify({ charts: this.charts, strips: this.strips, unusual: this.showsUnusual }));
		} catch {
			// a browser that keeps nothing has the address
		}
	}
}

function remembered() {
	try {
		const habit = JSON.parse(localStorage.getItem(HABIT)) || {};
		return { ...habit, charts: Array.isArray(habit.charts) ? habit.charts : null };
	} catch {
		return {};
	}
}
