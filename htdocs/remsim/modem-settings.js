/** Settings: network, data connection, polling; and what is dangerous, behind a fold. */

import { ActionPanels } from './action-panel.js';
import { ask } from './ask.js';
import { el, fill, setText } from './dom.js';
import { FormView } from './form.js';
import { LiveTable } from './table.js';
import { msg } from './words.js';

const ELSEWHERE = ['sim', 'sms', 'console'];
const DANGER = ['radio', 'reset', 'hard-reset', 'usb-mode', 'inhibit'];
const STATUS = { available: msg('free'), current: msg('in use'), forbidden: msg('forbidden'), unknown: msg('unknown') };

/** Whether an action is far from daily use: it restarts or cuts off the whole device. */
function isDangerous(action) {
	return DANGER.includes(action.name) || (action.group === 'device' && !!action.cuts);
}

export class SettingsTab {
	constructor(ctx) {
		const t = ctx.t;
		this._ctx = ctx;
		const options = action => ({ danger: isDangerous(action), result: action.name === 'scan' ? result => this._networks(result) : null, isOpen: this._asked === action.name, done: () => ctx.look() });
		const isHere = action => !ELSEWHERE.includes(action.group);
		this.daily = new ActionPanels(ctx, action => isHere(action) && !isDangerous(action), options);
		this.danger = new ActionPanels(ctx, action => isHere(action) && isDangerous(action), options);
		this.period = el('div.remsim-inner');
		this.forget = el('button.remsim-danger', { type: 'button', click: () => this._forget() }, t('Forget this modem'));
		this.forgetNote = el('p.remsim-help');
		this.forgetError = el('p.remsim-problem', { role: 'alert', hidden: true });
		this.presets = el('section.remsim-panel', { hidden: true }, el('h3', {}, t('Presets')), this.presetText = el('p'),
			ctx.options.readonly ? null : el('button', { type: 'button', click: () => this._dropPresets() }, t('Apply none of them again')));
		this.fold = el('details.remsim-dangerzone', {}, el('summary', {}, t('Danger zone')), this.danger.root,
			ctx.options.readonly ? null : el('div.remsim-action.remsim-forget', {}, el('h3', {}, t('Forget this modem')), this.forgetNote, this.forgetError, this.forget));
		this.root = el('div.remsim-stack', {}, this.daily.root,
			el('details.remsim-action', { toggle: () => this._periodForm() }, el('summary', {}, el('span', {}, t('How often it is asked')), this.periodNow = el('span.remsim-muted')), this.period),
			this.presets, this.fold, this.daily.lacking);
	}

	offered(actions) {
		this.daily.update(actions);
		this.danger.update(actions);
		const kept = actions.filter(action => action.desired);
		this.presets.hidden = !kept.length;
		setText(this.presetText, this._ctx.t('Applied again when the modem forgets it: %s', kept.map(action => this._ctx.t(action.label)).join(', ')));
		this._open();
	}

	route(asked) {
		this._asked = asked.get('action');
		this._open();
	}

	/** Open the action the address names, with the values another tab has put in. */
	_open() {
		const panel = this.daily.panels.get(this._asked) || this.danger.panels.get(this._asked);
		if (!panel || this._opened === this._asked + !!this._ctx.prefill)
			return;
		if (this.danger.panels.has(this._asked))
			this.fold.open = true;
		const { prefill } = this._ctx;
		if (prefill?.action === this._asked) {
			this._ctx.prefill = null;
			panel.open(prefill.values);
		} else
			panel.root.open = true;
		this._opened = this._asked + !!this._ctx.prefill;
		requestAnimationFrame(() => {
			panel.root.scrollIntoView({ block: 'start' });
			panel.root.querySelector('summary')?.focus({ preventScroll: true });
		});
	}

	update(modem) {
		this.read(modem);
	}

	read(modem) {
		const t = this._ctx.t, { period_s: period, effective_period_s: effective } = modem;
		setText(this.periodNow, period === null ? t('off') : effective > period ? t('every %s s, now every %s s', period, effective) : t('every %s s', period));
		const isAway = ['gone', 'rebooting'].includes(modem.state);
		this.forget.disabled = !isAway;
		setText(this.forgetNote, isAway ? t('Its name, its settings here and its place in the list go. What was recorded stays.') : t('Only a modem that is unplugged can be forgotten.'));
	}

	_periodForm() {
		const { t, options, id, store, request } = this._ctx;
		if (this.periodForm)
			return;
		const now = store.modems.get(id)?.period_s;
		const schema = { required: ['is_asked'], properties: {
			is_asked: { type: 'boolean', title: 'Ask it for its values', default: now !== null, description: 'Off: nothing is recorded, and its port is left alone' },
			period_s: { type: 'number', minimum: 1, maximum: 60, title: 'Every', 'x-unit': 's', default: now ?? 1 }
		} };
		this.periodForm = new FormView(schema, { t, isReadonly: options.readonly, submit: async ({ is_asked: isAsked, period_s: period }) => {
			const modem = await request(`modems/${encodeURIComponent(id)}`, { method: 'PATCH', body: { period_s: isAsked ? period ?? null : null } });
			schema.properties.is_asked.default = modem.period_s !== null;
			schema.properties.period_s.default = modem.period_s ?? period;
			this.periodForm.put({});
			setText(this.periodForm.beside, t('Done.'));
			await options.refresh();
		} });
		fill(this.period, this.periodForm.root);
	}

	/** Networks a scan has found, each with a button that makes it the modem's own. */
	_networks(result) {
		const { t } = this._ctx, found = result?.networks || [];
		if (!found.length)
			return [el('p.remsim-absent', {}, t('No network was found. Try it again where the sky is free, or with another antenna.'))];
		const canChoose = this._ctx.action('operator') && !this._ctx.action('operator').missing && !this._ctx.options.readonly;
		const table = new LiveTable([
			{ label: t('Network'), text: one => one.name || one.short_name || one.plmn },
			{ label: t('Code'), text: one => one.plmn },
			{ label: t('Technology'), text: one => one.technology || '–' },
			{ label: t('State'), text: one => t(STATUS[one.status] || one.status) },
			{ label: t('Choose'), isPlain: true, node: one => canChoose && one.status !== 'current' ? el('button.remsim-small', { type: 'button', click: () => this._choose(one) }, t('Use this network')) : null }
		], one => `${one.plmn} ${one.technology}`, t('Networks found'));
		table.show(found);
		return [el('p.remsim-good', {}, `✓ ${t('%s networks found', found.length)}`), result.note ? el('p.remsim-problem', {}, t(result.note)) : null, table.root];
	}

	_choose(network) {
		this._ctx.prefill = { action: 'operator', values: { mode: 'manual', plmn: network.plmn } };
		this._opened = null;
		if (this._asked === 'operator')
			this._open();
		else
			this._ctx.go('settings', { action: 'operator' });
	}

	async _dropPresets() {
		const { t, root, id, request, store } = this._ctx;
		if (!await ask(root, { title: t('Apply no preset to %s again?', store.modems.get(id)?.name || id), texts: [t('What is in force now stays until the modem forgets it.')], yes: t('Apply none'), t }))
			return;
		await request(`modems/${encodeURIComponent(id)}/desired`, { method: 'DELETE' }).catch(error => setText(this.presetText, error.message));
		this._ctx.refresh();
	}

	async _forget() {
		const { t, root, id, request, options, store } = this._ctx, name = store.modems.get(id)?.name || id;
		this.forgetError.hidden = true;
		if (!await ask(root, { title: t('Forget %s?', name), texts: [t('Its name, its settings here and its place in the list go. What was recorded stays.'), t('Plugged in again, it is a new modem.')], yes: t('Forget %s', name), t }))
			return;
		try {
			await request(`modems/${encodeURIComponent(id)}`, { method: 'DELETE' });
			location.hash = '#';
			await options.refresh();
		} catch (error) {
			this.forgetError.hidden = false;
			setText(this.forgetError, error.hint ? `${error.message} – ${error.hint}` : error.message);
		}
	}

	follow() {
		this.daily.follow();
		this.danger.follow();
	}
}
