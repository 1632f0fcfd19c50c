/** Log: what happened to this modem, what was done to it, and what it refused. */

import { el, fill, setText } from './dom.js';
import { EventsList } from './events-list.js';
import { msg } from './words.js';

const KINDS = [['', msg('Everything')], ['control', msg('Done by users')], ['connect,disconnect,state,technology_change,registration', msg('Network')], ['sim_state', msg('SIM')], ['error,reboot,vanished', msg('Trouble')]];
const LIMIT = 300;

export class LogTab {
	constructor(ctx) {
		const t = ctx.t;
		this._ctx = ctx;
		this.error = el('p.remsim-problem', { role: 'alert', hidden: true });
		this.last = el('section.remsim-panel', { hidden: true }, el('h3', {}, t('Last error on its AT port')), this.lastText = el('p.remsim-mono'));
		this.kind = el('select', { 'aria-label': t('Which events'), change: () => this.shown() }, KINDS.map(([value, label]) => el('option', { value }, t(label))));
		this.events = new EventsList(ctx.store, ctx.options, (from, to) => this._toHistory(from, to));
		this.root = el('div.remsim-stack', {}, el('div.remsim-tools', {}, this.kind), this.error, this.last, this.events.root);
	}

	async shown() {
		const kind = this.kind.value;
		try {
			const { events } = await this._ctx.request('events', { query: { modem: this._ctx.id, kind: kind || null, limit: LIMIT } });
			if (kind === this.kind.value)
				this.events.show(events, kind ? this._ctx.t(KINDS.find(([value]) => value === kind)[1]) : null);
			this.error.hidden = true;
		} catch (error) {
			this.error.hidden = false;
			fill(this.error, error.message);
		}
	}

	happened(event) {
		if (!this.kind.value || this.kind.value.split(',').includes(event.kind)) {
			this.events.add(event);
			this.events.update();
		}
	}

	update(modem, detail) {
		this.last.hidden = !detail.last_error;
		setText(this.lastText, detail.last_error ? (typeof detail.last_error === 'string' ? detail.last_error : Object.values(detail.last_error).join(' · ')) : '');
	}

	_toHistory(from, to) {
		const { options, id } = this._ctx;
		if (options.links.dashboard)
			location.href = `${options.links.dashboard}#${new URLSearchParams({ from: Math.floor(from), to: Math.ceil(to), modem: id })}`;
	}
}
