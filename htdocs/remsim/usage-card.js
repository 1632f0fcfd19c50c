/** One SIM of the Usage page: its cycle, what is used of the cap, where it leads to, its days, its plan. */

import { el, fill, setText } from './dom.js';
import { FormView } from './form.js';
import { bytes, money, number } from './format.js';
import { msg } from './words.js';
import { usageBars, usageTable } from './usage-bars.js';

const NEARLY = 80;
const UNKNOWN = 'unknown SIM';

/** How near the cap is: {look, shape, word}; null where there is no cap. */
function capLook(percent) {
	if (percent === null || percent === undefined)
		return null;
	if (percent >= 100)
		return { look: 'poor', shape: '✖', word: msg('used up') };
	return percent >= NEARLY ? { look: 'fair', shape: '▲', word: msg('nearly used up') } : { look: 'good', shape: '✓', word: msg('within the cap') };
}

export class UsageCard {
	/** `ctx`: t, options, store, request, changed(text); `sim`: its object of `usage/report`. */
	constructor(ctx, sim) {
		const { t, options } = ctx;
		Object.assign(this, { _ctx: ctx, sim });
		this.name = el('h2');
		this.where = el('span.remsim-muted');
		this.facts = el('div.remsim-usage-facts');
		this.days = el('div');
		this.plan = options.readonly || sim.sim === UNKNOWN ? null : el('details.remsim-usage-plan', { toggle: () => { if (this.plan.open) this._form(); } }, el('summary', {}, t('Plan of this SIM')), this.place = el('div.remsim-inner'));
		this.root = el('article.remsim-panel.remsim-usage', { 'data-sim': sim.sim }, el('header', {}, this.name, this.where), this.facts, this.days, this.plan);
		this.update(sim);
	}

	update(sim) {
		const { t, store } = this._ctx, modems = store.list().filter(modem => modem.reading?.sim === sim.sim);
		this.sim = sim;
		setText(this.name, sim.sim === UNKNOWN ? t('Unknown SIM') : sim.name || sim.sim);
		setText(this.where, [sim.name && sim.sim !== UNKNOWN ? sim.sim : '', modems.length ? t('in %s now', modems.map(modem => modem.name).join(', ')) : '', sim.note || ''].filter(Boolean).join(' · '));
		fill(this.facts, sim.sim === UNKNOWN ? el('p.remsim-help', {}, t('Counted while the modem had not told its SIM’s number: after a start, or when it cannot read it.')) : null,
			this._cycle(), this._used(), this._projection(), this._cost(),
			el('p', {}, sim.today ? t('Today: received %s, sent %s', bytes(sim.today.rx_bytes), bytes(sim.today.tx_bytes)) : t('In this cycle: received %s, sent %s', bytes(sim.rx_bytes), bytes(sim.tx_bytes))));
		const wasOpen = this.days.querySelector('details')?.open, today = new Date(store.now() * 1000).toISOString().slice(0, 10), table = usageTable(sim, t);
		table.open = !!wasOpen;
		fill(this.days, usageBars(sim, today, t), table, this._places());
	}

	_cycle() {
		const { t } = this._ctx, { from, to, days, days_left: rest } = this.sim, isOver = rest === null || rest === undefined, done = isOver ? days : days - rest, left = Math.floor(rest);
		const text = isOver ? t('%s to %s', from, to) : left === 0 ? t('%s to %s, last day', from, to) : left === 1 ? t('%s to %s, 1 day left', from, to) : t('%s to %s, %s days left', from, to, left);
		return el('div.remsim-usage-row', {}, el('span.remsim-usage-label', {}, t('Billing cycle')), el('progress.remsim-usage-cycle', { max: days, value: done, 'aria-label': t('Days of the billing cycle gone') }), el('span', {}, text));
	}

	_used() {
		const { t } = this._ctx, { used_bytes: used, cap_bytes: cap, used_percent: percent } = this.sim, look = capLook(percent);
		if (!look)
			return el('div.remsim-usage-row', {}, el('span.remsim-usage-label', {}, t('Used')), el('strong', {}, bytes(used)),
				this.plan ? el('span', {}, el('span.remsim-muted', {}, `${t('no cap is set')} `), el('button', { type: 'button', click: () => this._askCap() }, t('Set a cap'))) : el('span.remsim-muted', {}, t('no cap is set')));
		return el('div.remsim-usage-row', {}, el('span.remsim-usage-label', {}, t('Used')),
			el(`progress.remsim-usage-cap.remsim-usage-${look.look}`, { max: 100, value: Math.min(100, percent), 'aria-label': t('Used of the cap') }),
			el('span', {}, el('strong', {}, t('%s of %s', bytes(used), bytes(cap))), ` (${number(percent)} %) `, el(`span.remsim-quality-${look.look}`, {}, el('span', { 'aria-hidden': 'true' }, `${look.shape} `), t(look.word))));
	}

	_projection() {
		const { t } = this._ctx, { projected_bytes: projected, projection, cap_bytes: cap, days_left: left, to } = this.sim;
		if (projected === null || projected === undefined)
			return left === null || left === undefined || this.sim.sim === UNKNOWN ? null : el('div.remsim-usage-row', {}, el('span.remsim-usage-label', {}, t('Projection')), el('span.remsim-muted', {}, t('comes once a whole day was counted')));
		const over = cap && projected > cap;
		return el('div.remsim-usage-row', {}, el('span.remsim-usage-label', {}, t('Projection')),
			el('span', {}, el('strong', {}, t('%s by %s', bytes(projected), to)), over ? [' ', el('span.remsim-quality-poor', {}, el('span', { 'aria-hidden': 'true' }, '✖ '), t('%s over the cap', bytes(projected - cap)))] : null),
			projection ? el('details.remsim-usage-how', {}, el('summary', {}, t('How is this worked out?')), el('p.remsim-help', {}, t(projection))) : null);
	}

	/** What the cycle costs so far, and in the end if it goes on like this. */
	_cost() {
		const { t } = this._ctx, { cost, projected_cost: projected, currency } = this.sim;
		if (cost === null || cost === undefined)
			return null;
		const grows = projected !== null && projected !== undefined && projected !== cost;
		return el('div.remsim-usage-row', {}, el('span.remsim-usage-label', {}, t('Cost')), el('strong', {}, money(cost, currency)),
			grows ? el('span.remsim-muted', {}, t('%s by the end of the cycle', money(projected, currency))) : null);
	}

	_places() {
		const { t, store } = this._ctx, rows = this.sim.per_place;
		return rows.length ? el('div.remsim-tablebox', { tabindex: '0', role: 'group', 'aria-label': t('Where it went through') }, el('table.remsim-table', {},
			el('thead', {}, el('tr', {}, el('th', { scope: 'col' }, t('Modem')), el('th', { scope: 'col' }, t('Interface')), [t('Received'), t('Sent')].map(word => el('th.remsim-number', { scope: 'col' }, word)))),
			el('tbody', {}, rows.map(row => el('tr', {}, el('td', {}, store.modems.get(row.modem)?.name || row.modem), el('td', {}, row.interface || '–'), [row.rx_bytes, row.tx_bytes].map(value => el('td.remsim-number', {}, bytes(value)))))))) : null;
	}

	_askCap() {
		this._wanted = 'cap_gb';
		if (this.plan.open)
			this._form();
		this.plan.open = true; // what opens it asks for the form
	}

	/** Name, billing day, cap: the section `sim` of the settings. */
	async _form() {
		const { t, request, changed } = this._ctx, { sim } = this;
		if (this.form)
			this._focus();
		if (this.form || this._isAsking)
			return;
		this._isAsking = true;
		try {
			const [{ types }, { channels }] = await (this._ctx.planForm ||= Promise.all([request('config/form', { query: { types: 'sim' } }), request('alert-channels')]));
			const { sections } = await request('config', { query: { types: 'sim' } });
			const schema = JSON.parse(JSON.stringify(types[0].schema)), mails = channels.filter(channel => channel.type === 'smtp');
			if (!mails.length)
				delete schema.properties.report_channel; // it goes by mail only
			else
				schema.properties.report_channel = { ...schema.properties.report_channel, type: 'string', description: undefined, oneOf: [{ const: '', title: msg('Nobody') }, ...mails.map(channel => ({ const: channel.name, title: channel.label || channel.name }))] };
			const now = { billing_day: sim.billing_day, counts: sim.counts, report_channel: '', ...sections.find(one => one.name === sim.section)?.values };
			for (const [name, property] of Object.entries(schema.properties)) {
				if (now[name] === undefined)
					delete property.default;
				else
					property.default = now[name];
			}
			this.form = new FormView(schema, { t, submitLabel: t('Save'), submit: async values => {
				const wanted = { report_channel: now.report_channel, ...values }; // what has no field here stays
				await request(`config/sim/${encodeURIComponent(sim.section)}`, { method: 'PUT', body: Object.fromEntries(Object.entries(wanted).filter(([, value]) => value !== '')) });
				this.form = null;
				this.plan.open = false;
				fill(this.place);
				this.plan.querySelector('summary').focus({ preventScroll: true });
				await changed(t('The plan of %s is saved.', values.name || sim.sim));
			} });
			fill(this.place, this.form.root);
			this._focus();
		} catch (error) {
			this._ctx.planForm = null;
			fill(this.place, el('p.remsim-problem', {}, error.message), el('button', { type: 'button', click: () => this._form() }, t('Try again')));
		}
		this._isAsking = false;
	}

	_focus() {
		this.form.fields.find(field => field.name === this._wanted)?.focus();
		this._wanted = null;
	}

	/** Whether something is being typed that a new answer must not sweep away. */
	get isBusy() {
		return !!this.form?.isDirty;
	}
}
