/** SIM: what it is, what it wants, and the forms for that right here. */

import { ActionPanels } from './action-panel.js';
import { el, fill, setText } from './dom.js';
import { NONE } from './format.js';
import { STATE_WORDS, msg } from './words.js';

const WANTED = { sim_pin: 'pin', sim_puk: 'puk', no_sim: 'sim-slot' };
const NEXT = {
	sim_pin: msg('The SIM wants its PIN. Enter it below.'),
	sim_puk: msg('The SIM is blocked. Enter its PUK, from the card’s letter or from the operator, and a new PIN. After ten wrong tries it is of no use any more.'),
	no_sim: msg('No SIM is inserted. Insert one, or choose another slot below.'),
	sim_error: msg('The SIM does not answer as it should. It may be busy for a moment; else take it out, clean it and insert it again.')
};

export class SimTab {
	constructor(ctx) {
		const t = ctx.t;
		this._ctx = ctx;
		this.state = el('h3');
		this.next = el('p', { role: 'status' });
		this.tries = el('p.remsim-problem', { hidden: true });
		this.facts = el('dl.remsim-facts');
		this.full = el('button.remsim-small', { type: 'button', 'aria-pressed': 'false', click: () => this._show() }, t('Show the numbers in full'));
		this.fullError = el('p.remsim-problem', { role: 'alert', hidden: true });
		this.panels = new ActionPanels(ctx, action => action.group === 'sim', action => ({ isOpen: action.name === WANTED[this._state()], done: () => ctx.look() }));
		this.panels.root.setAttribute('aria-label', t('SIM'));
		this.root = el('div.remsim-stack', {}, this.box = el('section.remsim-panel', {}, this.state, this.next, this.tries, this.facts, el('div.remsim-submit', {}, this.full, ctx.options.links.page ? el('a', { href: ctx.options.links.page('esim') }, t('eSIM profiles')) : null), this.fullError), this.panels.root, this.panels.lacking);
	}

	/** The tries that are left are in the object of one modem. */
	get polls() {
		return this._state() in NEXT;
	}

	_state() {
		return this._ctx.store.modems.get(this._ctx.id)?.state;
	}

	offered(actions) {
		this.panels.update(actions);
		this.read(this._ctx.store.modems.get(this._ctx.id));
	}

	update(modem) {
		this.read(modem);
	}

	/** Identifiers in full have a right of their own; they are gone again when the tab is left. */
	async _show() {
		const { t, request, id } = this._ctx;
		this.fullError.hidden = true;
		try {
			this._numbers = this._numbers ? null : await request(`modems/${encodeURIComponent(id)}/identifiers`);
		} catch (error) {
			this.fullError.hidden = false;
			setText(this.fullError, error.status === 403 ? t('Your login may not see identifiers in full (scope identifiers).') : error.message);
		}
		this.full.setAttribute('aria-pressed', String(!!this._numbers));
		this.read(this._ctx.store.modems.get(id));
	}

	hidden() {
		this._numbers = null;
		this.full.setAttribute('aria-pressed', 'false');
	}

	read(modem) {
		if (!modem)
			return;
		const t = this._ctx.t, detail = this._ctx.detail?.details || {}, reading = modem.reading || {}, wants = NEXT[modem.state], shown = this._numbers || modem;
		const isReady = reading.sim_state === 'READY' && !wants;
		setText(this.state, wants ? t(STATE_WORDS[modem.state]) : isReady ? t('The SIM is ready') : t('SIM: %s', reading.sim_state ? t(String(reading.sim_state).replaceAll('_', ' ').toLowerCase()) : t('not known yet')));
		this.box.className = `remsim-panel remsim-sim-${wants ? 'problem' : isReady ? 'ok' : 'unknown'}`;
		setText(this.next, wants ? t(wants) : '');
		this.next.hidden = !wants;
		const tries = [['PIN', detail.pin_tries_left], ['PUK', detail.puk_tries_left]].filter(([, left]) => Number.isFinite(left));
		this.tries.hidden = !tries.length || !['sim_pin', 'sim_puk'].includes(modem.state);
		setText(this.tries, tries.map(([label, left]) => t('%s tries left: %s', label, left)).join(' · '));
		const facts = [
			['ICCID', shown.iccid], ['IMSI', shown.imsi], ['IMEI', shown.imei], [t('eSIM (EID)'), shown.eid],
			[t('Slot'), reading.sim_slot], [t('Name in statistics'), modem.sim]
		].filter(([name, value]) => value || name === 'ICCID' || name === 'IMSI');
		const told = JSON.stringify(facts);
		if (told !== this._told)
			fill(this.facts, facts.map(([name, value]) => el('div', {}, el('dt', {}, name), el('dd', {}, value ?? NONE))));
		this._told = told;
		const wanted = this.panels.panels.get(WANTED[modem.state]);
		if (modem.state !== this._was && wanted && !wanted.root.open)
			wanted.root.open = true;
		this._was = modem.state;
	}

	follow() {
		this.panels.follow();
	}

	route(asked) {
		const panel = this.panels.panels.get(asked.get('action'));
		if (panel)
			panel.root.open = true;
	}
}
