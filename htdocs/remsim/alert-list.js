/** Alerts now: what fires first, then what may soon, then what ended lately. */

import { severityNode, valueText } from './alert-words.js';
import { SilenceMaker } from './alert-silence.js';
import { el, fill, setText } from './dom.js';
import { epoch, lasting, moment } from './format.js';
import { ModemChip } from './modem-chip.js';
import { msg } from './words.js';

const GROUPS = [
	['firing', msg('Firing'), msg('Nothing fires.')],
	['pending', msg('Pending'), msg('Nothing is about to fire.')],
	['resolved', msg('Lately resolved'), msg('Nothing was resolved lately.')]
];
const RANK = { critical: 0, warning: 1, info: 2 };
const AROUND_S = 900;

/** One alert, patched in place. */
class AlertItem {
	constructor(alert, ctx) {
		const { t, options } = ctx;
		Object.assign(this, { _ctx: ctx, alert });
		this.severity = el('span');
		this.label = el('strong');
		this.state = el('span.remsim-alert-state');
		this.chip = alert.modem ? new ModemChip(t) : null;
		this.summary = el('p');
		this.value = el('strong');
		this.since = el('span');
		this.last = el('span');
		this.note = el('p.remsim-muted', { hidden: true });
		this.error = el('p.remsim-problem', { role: 'alert', hidden: true });
		this.acknowledge = options.readonly ? null : el('button', { type: 'button', click: () => this._acknowledge() }, t('Acknowledge'));
		this.silencer = options.readonly ? null : new SilenceMaker(ctx, { rule: alert.rule, modem: alert.modem || null }, { modem: ctx.nameOf(alert.modem) });
		this.history = el('a.remsim-button', { hidden: true }, t('Charts'));
		this.rule = el('a.remsim-button', { href: ctx.address('rules', { rule: alert.rule }) }, t('Rule'));
		this.root = el('li', { tabindex: '-1' },
			el('header', {}, this.severity, this.label, this.chip?.root, this.state), this.summary,
			el('p.remsim-alert-times', {}, this.value, this.since, this.last), this.note, this.error,
			el('div.remsim-tools', {}, this.acknowledge, this.rule, this.history), this.silencer?.root);
		this.update(alert);
	}

	update(alert) {
		const { t, options, store, rules, unitOf } = this._ctx, now = store.now(), focused = this.root.contains(document.activeElement) ? document.activeElement : null;
		this.alert = alert;
		this.root.className = `remsim-alert remsim-alert-${alert.state} remsim-alert-${alert.severity}`;
		fill(this.severity, severityNode(alert.severity, t));
		setText(this.label, alert.label || alert.rule);
		setText(this.state, { firing: t('firing'), pending: t('pending'), resolved: t('resolved') }[alert.state] || alert.state);
		setText(this.summary, alert.summary || '');
		const unit = unitOf(alert), limit = alert.threshold;
		setText(this.value, [
			t(alert.state === 'resolved' ? 'last value %s' : 'value %s', valueText(alert.value, unit, t)), typeof limit === 'number' ? t('limit %s', valueText(limit, unit, t)) : ''
		].filter(Boolean).join(' · '));
		const modem = store.modems.get(alert.modem);
		if (this.chip && !modem)
			setText(this.chip.name, alert.modem);
		const told = alert.last_notification;
		setText(this.last, told ? this._told(told, moment(epoch(told.at), now, false)) : alert.state === 'firing' ? t('nobody was told yet') : '');
		const notes = [
			alert.acknowledged_by ? t('Acknowledged by %s at %s.', alert.acknowledged_by, moment(epoch(alert.acknowledged_at), now, false)) : '',
			alert.silenced_by && alert.state !== 'resolved' ? t('Silenced: no message is sent.') : '', alert.reason ? t('It ended because: %s', alert.reason) : ''
		].filter(Boolean);
		this.note.hidden = !notes.length;
		setText(this.note, notes.join(' '));
		if (this.acknowledge)
			this.acknowledge.hidden = alert.state !== 'firing' || !!alert.acknowledged_by;
		this.rule.hidden = !rules.some(rule => rule.name === alert.rule);
		if (this.silencer)
			this.silencer.root.hidden = alert.state === 'resolved' || !!alert.silenced_by;
		const begin = epoch(alert.fired_at || alert.since), page = options.links.page?.('history');
		this.history.hidden = !page || alert.state === 'pending';
		if (page)
			this.history.href = `${page}#${new URLSearchParams({ from: Math.floor(begin - AROUND_S), to: Math.ceil(Math.min(now, (epoch(alert.resolved_at) || now) + AROUND_S)), ...(modem ? { modem: alert.modem } : {}) })}`;
		this.tick(now);
		if (focused && !focused.offsetParent) // the button that was pressed is gone: the keyboard stays here
			this.root.focus({ preventScroll: true });
	}

	_told({ channel, result }, when) {
		const { t, channels } = this._ctx, named = channels.find(one => one.name === channel)?.label || channel;
		return result === 'sent' ? t('told by %s at %s', named, when) : t('not told by %s, tried at %s: %s', named, when, t(result));
	}

	tick(now) {
		const { t, store } = this._ctx, { state, since, fired_at: fired, resolved_at: resolved } = this.alert, modem = store.modems.get(this.alert.modem);
		if (this.chip && modem)
			this.chip.update(modem);
		if (state === 'resolved')
			setText(this.since, t('from %s, for %s', moment(epoch(fired || since), now, false), lasting(epoch(resolved) - epoch(fired || since))));
		else
			setText(this.since, t('since %s (%s)', moment(epoch(fired || since), now, false), lasting(now - epoch(fired || since))));
	}

	async _acknowledge() {
		const { t, request, silenced } = this._ctx;
		if (this._isAsking) // not disabled: that would take the keyboard's place away
			return;
		this._isAsking = true;
		this.error.hidden = true;
		try {
			await request(`alerts/${encodeURIComponent(this.alert.id)}/acknowledge`, { method: 'POST', body: {} });
			await silenced(t('%s is acknowledged: it is not told again.', this.alert.label || this.alert.rule));
		} catch (error) {
			this.error.hidden = false;
			setText(this.error, error.hint ? `${error.message} – ${error.hint}` : error.message);
		}
		this._isAsking = false;
	}
}

export class NowTab {
	constructor(ctx) {
		const { t } = ctx;
		this._ctx = ctx;
		this._items = new Map();
		this.start = el('div.remsim-nothing', { hidden: true });
		this.groups = GROUPS.map(([state, title, nothing]) => {
			const heading = el('h2', {}, t(title)), list = el('ul.remsim-plainlist.remsim-alerts'), none = el('p.remsim-absent', {}, t(nothing));
			return { state, title, heading, list, none, root: el('section', { 'aria-label': t(title) }, heading, none, list) };
		});
		this.root = el('div.remsim-stack', {}, this.start, this.groups.map(group => group.root));
	}

	show() {
		const { t, alerts, rules, options, address } = this._ctx, kept = new Map();
		this.start.hidden = rules.length > 0;
		if (!rules.length)
			fill(this.start, el('h3', {}, t('No rule says yet what an alert is.')), el('p', {}, t('Begin with the usual ones: poor signal, no service, a modem that does not answer, the data cap.')),
				el('p', {}, el('a.remsim-button.remsim-primary', { href: address('rules') }, options.readonly ? t('See the presets') : t('Choose from the presets'))));
		for (const group of this.groups) {
			const own = alerts.filter(alert => alert.state === group.state).sort((a, b) => RANK[a.severity] - RANK[b.severity] || epoch(b.fired_at || b.since) - epoch(a.fired_at || a.since));
			setText(group.heading, own.length ? t('%s: %s', t(group.title), own.length) : t(group.title));
			group.none.hidden = own.length > 0;
			group.root.hidden = !own.length && (!rules.length || group.state === 'pending');
			own.forEach((alert, at) => {
				const item = this._items.get(alert.id) || new AlertItem(alert, this._ctx);
				item.update(alert);
				kept.set(alert.id, item);
				if (group.list.children[at] !== item.root)
					group.list.insertBefore(item.root, group.list.children[at] || null);
			});
		}
		for (const [id, item] of this._items) {
			if (!kept.has(id))
				item.root.remove();
		}
		this._items = kept;
	}

	tick() {
		const now = this._ctx.store.now();
		this._items.forEach(item => item.tick(now));
	}
}
