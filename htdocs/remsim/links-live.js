/** What flows now: rates and sessions a link as they go on, sums by link, policy and host, each flow with its reason. */

import { ChartGroup, TimeChart, loadChartJs } from './charts.js';
import { el, fill, setText } from './dom.js';
import { bitRate, bytes, count, duration, number } from './format.js';
import { explainFlow } from './links-why.js';
import { FlowsData } from './links-data.js';
import { linkName } from './links-words.js';
import { LiveTable } from './table.js';

const SPAN_S = 600;
const LEAST_S = 300;
const LIMIT = 100;
const SUMS = [['link', 'by_link'], ['policy', 'by_policy'], ['host', 'by_host']];

export class LiveTab {
	constructor(ctx) {
		const { t } = ctx;
		Object.assign(this, { _ctx: ctx, _past: [], _wanted: {} });
		this.data = new FlowsData(ctx.options, ctx.store, () => this._came(), () => ({ limit: LIMIT, ...this._wanted }));
		this.charts = el('div.remsim-charts');
		this.sums = Object.fromEntries(SUMS.map(([name]) => [name, this._sum(name)]));
		this.chosen = el('div.remsim-tools');
		this.note = el('p.remsim-help');
		this.problem = el('p.remsim-problem', { role: 'alert', hidden: true });
		this.table = new LiveTable([
			{ label: t('From'), text: flow => `${flow.source_name || flow.source}${flow.source_port ? `:${flow.source_port}` : ''}` },
			{ label: t('To'), text: flow => `${flow.domain || flow.destination}${flow.destination_port ? `:${flow.destination_port}` : ''}` },
			{ label: t('Protocol'), text: flow => flow.protocol },
			{ label: t('Link'), node: flow => this._link(flow.link) },
			{ label: t('Policy'), text: flow => flow.policy || '–' },
			{ label: t('Rate'), isNumber: true, kind: 'flowrate', text: flow => flow.rx_bps === null || flow.rx_bps === undefined ? '–' : bitRate((flow.rx_bps || 0) + (flow.tx_bps || 0)) },
			{ label: t('Carried'), isNumber: true, text: flow => flow.rx_bytes === null || flow.rx_bytes === undefined ? '–' : bytes((flow.rx_bytes || 0) + (flow.tx_bytes || 0)) },
			{ label: t('Age'), isNumber: true, text: flow => duration(flow.age_s) },
			{ label: t('Why there?'), isPlain: true, node: flow => el('button.remsim-small', { type: 'button', 'aria-label': t('Why did the flow to %s go over %s?', flow.domain || flow.destination, this._name(flow.link)), click: () => explainFlow(this._ctx, flow) }, t('Why?')) }
		], flow => `${flow.protocol} ${flow.source} ${flow.source_port} ${flow.destination} ${flow.destination_port} ${flow.link}`, t('Flows'));
		this.root = el('div.remsim-stack', {}, el('h2.remsim-said', {}, t('Links now')), this.charts, this.problem,
			el('div.remsim-flowsums', {}, Object.values(this.sums).map(({ root }) => root)),
			el('section.remsim-panel.remsim-flowpanel', { 'aria-label': t('Flows') }, el('header', {}, el('h2', {}, t('Flows')), this.chosen), this.note, this.table.root));
	}

	destroy() {
		this.data.destroy();
	}

	show() {
		this.data.load();
		this._charts();
	}

	tick() {
		this.data.tick();
	}

	happened() {
		this.data.soon();
	}

	recolour() {
		this._made?.forEach(({ chart }) => chart.recolour());
	}

	/** Links were asked for: their rates move the charts on. */
	update() {
		const { data, store } = this._ctx, { view } = data;
		if (!view || view === this._taken)
			return;
		this._taken = view;
		const now = store.now();
		this._past.push({ t: now, links: new Map(view.links.map(link => [link.name, link])) });
		while (this._past.length > 1 && this._past[0].t < now - SPAN_S)
			this._past.shift();
		this._draw();
	}

	async _charts() {
		const { t } = this._ctx;
		if (this._made)
			return;
		try {
			const ChartJs = await loadChartJs(), group = new ChartGroup();
			const make = (title, unit, value, spec) => ({ value, lines: new Map(), chart: new TimeChart({ title, unit, t, min: 0, ...spec }, group, ChartJs) });
			this._made = [
				make(t('Throughput a link, received'), '', link => link.rx_bps, { format: bitRate, axis: bitRate, digits: 0, axisWidth: 64 }),
				make(t('Sessions a link'), '', link => link.flows, { format: count, axis: count, digits: 0, axisWidth: 64 })
			];
			fill(this.charts, this._made.map(({ chart }) => chart.root));
			this._draw();
		} catch (error) {
			fill(this.charts, el('p.remsim-problem', {}, error.message));
		}
	}

	_draw() {
		const { data, store, t } = this._ctx, now = store.now(), from = Math.max(now - SPAN_S, Math.min(this._past[0]?.t ?? now, now - LEAST_S));
		this.charts.hidden = !data.links.length;
		for (const one of this._made || []) {
			if (!one.chart.root.isConnected)
				continue;
			const key = data.links.map(link => `${link.name} ${linkName(link)}`).join('\n');
			if (key !== one.key) { // other links than before: the lines are made anew
				one.key = key;
				one.lines = new Map(data.links.map(link => [link.name, { label: linkName(link), series: link.index - 1, points: this._past.map(({ t: at, links }) => point(at, links.has(link.name) ? one.value(links.get(link.name)) : null)), periodS: 3 }]));
				one.chart.show([...one.lines.values()], from, now, 1, t('Values come while this page is open.'));
			} else {
				const { t: at, links } = this._past.at(-1);
				one.chart.append([...one.lines].map(([name, line]) => [line, at, one.value(links.get(name) || {}) ?? null]), from, now);
			}
		}
	}

	_name(name) {
		const link = this._ctx.data.link(name);
		return link ? linkName(link) : name || this._ctx.t('no link');
	}

	_link(name) {
		const link = this._ctx.data.link(name);
		return el('span', {}, link ? el(`span.remsim-linkswatch.remsim-series-${link.index}`, { 'aria-hidden': 'true' }) : null, this._name(name));
	}

	/** A panel of sums; a row can be pressed to see only its flows. */
	_sum(name) {
		const { t } = this._ctx, title = { link: t('By link'), policy: t('By policy'), host: t('By host') }[name];
		const called = row => name === 'link' ? this._name(row.link) : name === 'policy' ? row.policy || t('no policy') : row.name || row.host || t('the router itself');
		const table = new LiveTable([
			{ label: { link: t('Link'), policy: t('Policy'), host: t('Host') }[name], node: row => row[name] === null && name !== 'policy' ? el('span', {}, called(row)) : el('button.remsim-flowpick', { type: 'button', 'aria-label': t('Only flows of %s', called(row)), click: () => this._only(name, row[name] ?? '', called(row)) }, name === 'link' ? this._link(row.link) : called(row)) },
			{ label: t('Flows'), isNumber: true, text: row => count(row.flows) },
			{ label: t('Received'), isNumber: true, text: row => bitRate(row.rx_bps) },
			{ label: t('Sent'), isNumber: true, text: row => bitRate(row.tx_bps) }
		], row => String(row[name]), title);
		const none = el('p.remsim-muted', {}, t('none now'));
		return { table, none, root: el('section.remsim-panel', { 'aria-label': title }, el('header', {}, el('h2', {}, title)), table.root, none) };
	}

	_only(name, value, word) {
		const { t } = this._ctx;
		this._wanted = value === null ? {} : { [name]: value };
		const isAll = !Object.keys(this._wanted).length;
		fill(this.chosen, isAll ? null : el('button', { type: 'button', click: () => { this._only(name, null); this.table.root.focus(); } }, t('Only %s', word), ' ✕'));
		this.data.load();
	}

	_came() {
		const { t } = this._ctx, { view, error } = this.data;
		this.problem.hidden = !error;
		setText(this.problem, error?.message || '');
		if (!view)
			return;
		for (const [name, key] of SUMS) {
			const rows = view[key] || [], { table, none } = this.sums[name];
			table.root.hidden = !rows.length;
			none.hidden = rows.length > 0;
			table.show(rows);
		}
		setText(this.note, !view.flows.length ? t('No flow now.') : view.total > view.shown ? t('The busiest %s of %s. Rates are those of the last seconds.', number(view.shown), count(view.total)) : t('The busiest first. Rates are those of the last seconds.'));
		this.table.root.hidden = !view.flows.length;
		this.table.show(view.flows);
	}
}

function point(at, value) {
	return [at, value ?? null, value ?? null, value ?? null];
}
