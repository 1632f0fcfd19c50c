/** The Alerts page: what fires, the rules, the channels, the silences; which of them stands in the address. */

import { ChannelsTab } from './alert-channels.js';
import { NowTab } from './alert-list.js';
import { RulesTab } from './alert-rules.js';
import { SilencesTab } from './alert-silence.js';
import { TellPanel } from './alert-tell.js';
import { unitOf } from './alert-words.js';
import { ask } from './ask.js';
import { el, fill, mark, setText } from './dom.js';
import { Frame } from './frame.js';
import { jobEnd } from './jobs.js';
import { msg } from './words.js';

const TABS = [['now', msg('Now')], ['rules', msg('Rules')], ['channels', msg('Channels')], ['silences', msg('Silences')]];
const ENDED = 20;
const SOON_MS = 200;

/** Mount the Alerts page into `node`; `options` as for dashboard.js. Returns {destroy, pause, resume, isWaiting}. */
export async function mount(node, options) {
	const page = new AlertsPage(node, options);
	await page.start();
	return page;
}

class AlertsPage extends Frame {
	constructor(node, options) {
		super(node, options, 'remsim-alertspage');
		const { t, request } = this.options;
		this.alerts = this.silences = this.rules = this.presets = this.channels = [];
		// What the tabs know of the page.
		this.context = {
			t, request, options: this.options, store: this.store, root: this.root, address,
			nameOf: id => this.store.modems.get(id)?.name || id || '',
			unitOf: alert => alert.unit ?? unitOf(alert.measure || this.rules.find(rule => rule.name === alert.rule)?.measure),
			modemChoices: wanted => this._modemChoices(wanted),
			channelChoices: () => this.channels.map(channel => ({ const: channel.name, title: channel.label || channel.name })),
			rulesChanged: (text, leaves = true) => this._written('rules', text, leaves),
			channelsChanged: (text, leaves = true) => this._written('channels', text, leaves),
			silenced: async text => { this._say(text); await this._loadAlerts(); },
			jobEnd: job => jobEnd(job, this.store, request, () => this._isOver)
		};
		for (const name of ['alerts', 'silences', 'rules', 'presets', 'channels', 'measures', 'isKnown'])
			Object.defineProperty(this.context, name, { get: () => this[name] });
		Object.defineProperty(this.context, 'names', { get: () => new Map(this.store.list().map(modem => [modem.id, modem.name])) });
		this.tabs = { now: new NowTab(this.context), rules: new RulesTab(this.context), channels: new ChannelsTab(this.context), silences: new SilencesTab(this.context) };
		this.tell = new TellPanel(this.context);
		this.links = Object.fromEntries(TABS.map(([name, word]) => [name, el('a', { href: address(name) }, t(word))]));
		this.failed = el('div.remsim-problem', { role: 'alert', hidden: true });
		this.nobody = el('p.remsim-note', { hidden: true }, t('No channel is set up: alerts are only shown here.'), ' ', el('a', { href: address('channels') }, t('Add a channel')));
		this.panel = el('div');
		fill(this.body, el('nav.remsim-tabs', { 'aria-label': t('Alerts') }, Object.values(this.links)), this.failed, this.nobody, this.panel);
		this._hash = () => this._route();
		window.addEventListener('hashchange', this._hash);
		this._stop.push(this.store.on('alert', () => this._soon()), this.store.on('state', state => this._counted(state.alerts)));
		this._leaving = event => { if (this.tabs.rules.editor?.isDirty) event.preventDefault(); };
		window.addEventListener('beforeunload', this._leaving);
	}

	destroy() {
		clearTimeout(this._timer);
		this._isOver = true;
		window.removeEventListener('hashchange', this._hash);
		window.removeEventListener('beforeunload', this._leaving);
		this.tabs.rules.destroy();
		super.destroy();
	}

	changed() {
		this._loaded ||= this._load();
	}

	/** Without a stream the counts of the state tell that alerts changed. */
	_counted(counts) {
		const now = JSON.stringify(counts ?? null);
		if (this._counts !== undefined && this._counts !== now)
			this._soon();
		this._counts = now;
	}

	happened(event) {
		if (event.kind === 'alert')
			this._soon();
	}

	tick() {
		if (this.tab === 'now')
			this.tabs.now.tick();
	}

	_soon() {
		this._timer ??= setTimeout(() => {
			this._timer = null;
			this._loadAlerts().catch(() => {});
		}, SOON_MS);
	}

	async _load() {
		const { t, request } = this.options;
		try {
			const [alerts, rules, channels] = await Promise.all([request('alerts', { query: { ended: ENDED } }), request('alert-rules'), request('alert-channels')]);
			this._take(alerts);
			this._takeRules(rules);
			this.channels = channels.channels;
			this.isKnown = true;
			this.failed.hidden = true;
			this._route();
			this._show();
		} catch (error) {
			this.failed.hidden = false;
			fill(this.failed, error.hint ? `${error.message} – ${error.hint}` : error.message, ' ', el('button', { type: 'button', click: () => { this._loaded = this._load(); } }, t('Try again')));
		}
	}

	_take({ alerts, silences }) {
		this.alerts = alerts;
		this.silences = silences;
	}

	_takeRules({ rules, presets, measures }) {
		this.rules = rules;
		this.presets = presets || [];
		this.measures = measures;
	}

	async _loadAlerts() {
		const asked = this._asked = {}, answer = await this.options.request('alerts', { query: { ended: ENDED } });
		if (asked !== this._asked)
			return; // a later question knows more
		this._take(answer);
		this._show();
	}

	/** Something was written: the list anew, and what was done in words. */
	async _written(tab, text, leaves) {
		const { request } = this.options;
		if (tab === 'rules')
			this._takeRules(await request('alert-rules'));
		else
			this.channels = (await request('alert-channels')).channels;
		this._say(text);
		if (leaves) {
			this.tabs[tab].leave();
			location.hash = address(tab);
			this.links[tab].focus({ preventScroll: true });
		}
		this._show();
		this._soon();
	}

	_say(text) {
		if (text === null)
			return;
		setText(this.told, text ? `✓ ${text}` : '');
	}

	_modemChoices(wanted) {
		const choices = this.store.list().map(modem => ({ const: modem.id, title: modem.name }));
		return !wanted || choices.some(choice => choice.const === wanted) ? choices : [...choices, { const: wanted, title: wanted }];
	}

	/** Show the tab of the address; a rule that was typed at is not left without a question. */
	async _route() {
		const asked = new URLSearchParams(location.hash.slice(1)), t = this.options.t, { editor } = this.tabs.rules;
		if (editor?.isDirty && location.hash !== this._at && this._at) {
			const wanted = location.hash;
			history.replaceState(null, '', this._at);
			if (this._isAsked)
				return;
			this._isAsked = true;
			const leaves = await ask(this.root, { title: t('Leave without saving?'), texts: [t('What was changed on this rule is lost.')], yes: t('Leave it'), t });
			this._isAsked = false;
			if (!leaves)
				return;
			this.tabs.rules.leave();
			location.hash = wanted;
			return;
		}
		this._at = location.hash || '#';
		const before = this.tab;
		this.tab = this.tabs[asked.get('tab')] ? asked.get('tab') : 'now';
		if (before !== this.tab) {
			fill(this.panel, this.tabs[this.tab].root, this.tab === 'now' ? this.tell.root : null);
			if (before)
				this._say('');
		}
		for (const [name, link] of Object.entries(this.links))
			mark(link, 'aria-current', name === this.tab && 'page');
		this.tabs[this.tab].route?.(asked);
		this._show();
	}

	_show() {
		const { t } = this.options, firing = this.alerts.filter(alert => alert.state === 'firing').length;
		if (!this.isKnown)
			return;
		setText(this.links.now, firing ? t('Now (%s)', firing) : t('Now'));
		setText(this.links.silences, this.silences.length ? t('Silences (%s)', this.silences.length) : t('Silences'));
		this.nobody.hidden = this.tab === 'channels' || !this.rules.length || this.channels.some(channel => channel.enabled);
		this.tabs[this.tab].show();
	}
}

/** The address of a tab, with what is open in it. */
function address(tab, more = {}) {
	return `#${new URLSearchParams({ tab, ...more })}`;
}
