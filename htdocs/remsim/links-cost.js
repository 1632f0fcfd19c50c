/** What links have carried a day and by which policy, what that costs, and what it saves against one link alone. */

import { el, fill, svg } from './dom.js';
import { bytes, money, number } from './format.js';
import { capLook, costTexts, linkName } from './links-words.js';
import { errorText } from './remote-data.js';

const DAYS = 30;
const WIDTH = 600;
const HEIGHT = 120;

export class CostTab {
	constructor(ctx) {
		const { t } = ctx;
		this._ctx = ctx;
		this.saving = el('div.remsim-stack');
		this.links = el('div');
		this.days = el('div');
		this.policies = el('div');
		this.error = el('p.remsim-problem', { role: 'alert', hidden: true });
		const panel = (title, ...content) => el('section.remsim-panel', { 'aria-label': title }, el('header', {}, el('h2', {}, title)), content);
		this.root = el('div.remsim-stack', {}, this.error, panel(t('This month'), this.saving), panel(t('Caps and prices'), this.links),
			panel(t('Carried a day'), this.days), panel(t('Carried by policy'), this.policies));
	}

	async show() {
		const { request } = this._ctx;
		this.error.hidden = true;
		try {
			this.usage = await request('links/usage', { query: { days: DAYS } });
		} catch (error) {
			this.usage = null;
			this.error.hidden = false;
			fill(this.error, errorText(error));
		}
		this._draw();
	}

	update() {
		const told = JSON.stringify(this._ctx.data.links.map(link => [link.title, link.cost]));
		if (told !== this._told)
			this._draw();
		this._told = told;
	}

	_draw() {
		const { t } = this._ctx, { days = [], saving } = this.usage || {};
		fill(this.saving, this._saving(saving));
		fill(this.links, this._ctx.data.links.length ? this._links() : el('p.remsim-muted', {}, this._ctx.t('No link is set up.')));
		const nothing = el('p.remsim-muted', {}, t('Nothing was counted yet.'));
		fill(this.days, days.length ? this._days(days) : nothing);
		fill(this.policies, days.length ? this._policies(days) : nothing.cloneNode(true));
	}

	_name(name) {
		const link = this._ctx.data.link(name);
		return link ? linkName(link) : name;
	}

	_saving(saving) {
		const { t } = this._ctx;
		if (!saving)
			return el('p.remsim-muted', {}, t('Nothing was counted yet.'));
		const price = minor => money(minor / 100, saving.currency), { saving_minor: saved } = saving;
		const first = saved === null || saved === undefined ? el('p', {}, t('What is saved cannot be said: %s.', t(String(saving.reason || '').replace(/\.$/, ''))))
			: el('p.remsim-links-sentence', {}, t('The links cost %s; %s alone would cost %s.', price(saving.paid_minor), this._name(saving.default), price(saving.alone_minor)), ' ',
				el('strong', { class: saved >= 0 ? 'remsim-quality-good' : 'remsim-quality-fair' }, saved >= 0 ? t('%s saved.', price(saved)) : t('%s more.', price(-saved))));
		return [first, saving.default ? el('details', {}, el('summary', {}, t('How is this worked out?')), el('p.remsim-help', {}, t('saving = what %s alone would cost for the bytes of all links − what the links cost for what each carried; the price of a link is its flat price + bytes below its cap × price of a GB + bytes above it × price of a GB there', this._name(saving.default)))) : null];
	}

	_links() {
		const { t, data } = this._ctx;
		return el('div.remsim-tablebox', { tabindex: '0', role: 'group', 'aria-label': t('Caps and prices') }, el('table.remsim-table', {},
			el('thead', {}, el('tr', {}, [t('Link'), t('Used'), t('Cap'), t('How it goes on'), t('Next GB')].map(text => el('th', { scope: 'col' }, text)))),
			el('tbody', {}, data.links.map(link => {
				const { cost } = link, next = cost?.next_gb_minor, [look, shape, word] = cost?.cap_bytes ? capLook(cost) : ['none', '', ''];
				return el('tr', {}, el('th', { scope: 'row' }, el(`span.remsim-linkswatch.remsim-series-${link.index}`, { 'aria-hidden': 'true' }), linkName(link)), el('td', {}, cost ? bytes(cost.used_bytes) : '–'),
					el('td', {}, cost?.cap_bytes ? [bytes(cost.cap_bytes), ' ', el(`span.remsim-quality-${look}`, {}, `${shape} ${t(word)}`)] : t('none')), el('td.remsim-ringreason', {}, cost ? costTexts(cost, t).join(' · ') : t('no price is set')),
					el('td', {}, next === null || next === undefined ? '–' : money(next / 100, cost.currency)));
			}))));
	}

	_days(rows) {
		const { t, data } = this._ctx, sum = row => row.rx_bytes + row.tx_bytes, byDay = new Map();
		for (const row of rows) {
			const day = byDay.get(row.day) || new Map();
			day.set(row.link, (day.get(row.link) || 0) + sum(row));
			byDay.set(row.day, day);
		}
		const last = [...byDay.keys()].sort().at(-1), days = Array.from({ length: DAYS }, (_, at) => new Date(Date.parse(last) - (DAYS - 1 - at) * 86400000).toISOString().slice(0, 10));
		const names = [...new Set([...data.names, ...rows.map(row => row.link)])].filter(name => rows.some(row => row.link === name));
		const most = Math.max(1, ...[...byDay.values()].map(day => [...day.values()].reduce((all, one) => all + one, 0))), each = WIDTH / DAYS, series = name => `remsim-series-${data.link(name)?.index || 8}`;
		const bars = days.map((day, at) => {
			let top = HEIGHT;
			return svg('g', {}, svg('title', {}, [day, ...names.map(name => `${this._name(name)} ${bytes(byDay.get(day)?.get(name) || 0)}`)].join('\n')), names.map(name => {
				const height = (byDay.get(day)?.get(name) || 0) / most * HEIGHT;
				top -= height;
				return svg('rect', { class: `remsim-slot-mine ${series(name)}`, x: at * each + each * 0.1, width: each * 0.8, y: top, height });
			}));
		});
		return [
			el('ul.remsim-ringkey', {}, names.map(name => el('li', {}, el(`span.remsim-linkswatch.${series(name)}`, { 'aria-hidden': 'true' }), this._name(name), ' ', el('b', {}, bytes(rows.filter(row => row.link === name).reduce((all, row) => all + sum(row), 0)))))),
			el('p.remsim-help', {}, t('The last %s days; the highest bar is %s.', DAYS, bytes(most))),
			svg('svg', { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, class: 'remsim-daybars', preserveAspectRatio: 'none', role: 'img', 'aria-label': t('Carried a day; the table below has the numbers') }, bars),
			el('details', {}, el('summary', {}, t('Days as a table')), el('div.remsim-tablebox', { tabindex: '0', role: 'group', 'aria-label': t('Carried a day') }, el('table.remsim-table', {},
				el('thead', {}, el('tr', {}, el('th', { scope: 'col' }, t('Day')), names.map(name => el('th.remsim-number', { scope: 'col' }, this._name(name))))),
				el('tbody', {}, [...byDay.keys()].sort().reverse().map(day => el('tr', {}, el('th', { scope: 'row' }, day), names.map(name => el('td.remsim-number', {}, bytes(byDay.get(day).get(name) || 0)))))))))
		];
	}

	_policies(rows) {
		const { t } = this._ctx, sums = new Map();
		let all = 0;
		for (const row of rows) {
			sums.set(row.policy, (sums.get(row.policy) || 0) + row.rx_bytes + row.tx_bytes);
			all += row.rx_bytes + row.tx_bytes;
		}
		return el('div.remsim-tablebox', { tabindex: '0', role: 'group', 'aria-label': t('Carried by policy') }, el('table.remsim-table', {},
			el('thead', {}, el('tr', {}, [t('Policy'), t('Carried'), t('Share')].map(text => el('th', { scope: 'col' }, text)))),
			el('tbody', {}, [...sums].sort((a, b) => b[1] - a[1]).map(([policy, sum]) => el('tr', {}, el('th', { scope: 'row' }, policy || t('no policy')), el('td', {}, bytes(sum)), el('td', {}, `${number(all ? 100 * sum / all : 0, 1)}\u202f%`))))));
	}
}
