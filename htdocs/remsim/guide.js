/** First start: what each modem still lacks until it is on the Internet, one step at a time, with the form for it. */

import { ActionPanel } from './action-panel.js';
import { el, fill, setText } from './dom.js';
import { number } from './format.js';
import { Frame } from './frame.js';
import { JobBar } from './jobs.js';
import { ModemChip } from './modem-chip.js';
import { NoModem } from './no-modem.js';
import { stepsOf } from './guide-steps.js';

/** Mount into `node`; `options` as for dashboard.js. Returns {destroy, pause, resume, isWaiting}. */
export async function mount(node, options) {
	const page = new GuidePage(node, options);
	await page.start();
	return page;
}

class GuidePage extends Frame {
	constructor(node, options) {
		super(node, options, 'remsim-guide');
		const { t, links } = this.options;
		this.modems = new Map();
		this.nothing = new NoModem(this.options, () => this.live.refresh().catch(() => {}));
		this.jobs = new JobBar(this.store, this.keeper, this.options);
		this.list = el('div.remsim-guide-modems');
		this.next = el('section.remsim-panel', { hidden: true }, el('h2', {}, t('What next?')), el('ul', {}, [
			['alerts', t('Be told when the signal is poor, a modem has no service or data runs out: alerts')],
			['usage', t('Set the cap and the billing day of each SIM: usage')],
			['', t('Arrange the dashboard, or show it on a wall: dashboard')],
			['access', t('Let another browser, an app or a program in: access')]
		].map(([page, text]) => el('li', {}, links.page ? el('a', { href: links.page(page) }, text) : text))));
		fill(this.body, el('p.remsim-help', {}, t('Each modem needs a SIM, a network and an access point. What is done already has a tick; what is next is open.')),
			this.nothing.root, this.list, this.next, this.jobs.root);
	}

	changed() {
		const modems = this.store.list();
		this.nothing.show(this.store.loaded && !modems.length);
		for (const [id, guide] of this.modems) {
			if (!this.store.modems.has(id)) {
				guide.root.remove();
				this.modems.delete(id);
			}
		}
		for (const modem of modems) {
			if (!this.modems.has(modem.id)) {
				this.modems.set(modem.id, new ModemGuide(modem.id, this));
				this.list.appendChild(this.modems.get(modem.id).root);
			}
		}
		for (const modem of modems)
			this.modems.get(modem.id).update(modem);
		this._count();
	}

	_count() {
		const guides = [...this.modems.values()], done = guides.filter(guide => guide.isDone).length;
		setText(this.summary, guides.length ? this.options.t('%s of %s ready', done, guides.length) : '');
		this.next.hidden = !done;
	}

	heard(reading) {
		const modem = this.store.modems.get(reading.modem);
		if (modem)
			this.modems.get(modem.id)?.update(modem);
		this._count();
	}

	worked() {
		this.modems.forEach(guide => guide.panel?.follow());
	}

	destroy() {
		this.jobs.destroy();
		super.destroy();
	}
}

const MARKS = { done: '✓', now: '→', problem: '✕', later: '○' };

/** One modem: its steps, and what the one that is next wants. */
class ModemGuide {
	constructor(id, page) {
		const { options, store, keeper, root, live } = page, { t } = options;
		this._ctx = { id, t, options, store, keeper, root, live, request: options.request, look: () => live.refresh().catch(() => {}) };
		this._words = { done: t('done'), now: t('next'), problem: t('problem'), later: t('later') };
		this.chip = new ModemChip(t);
		this.steps = el('ol.remsim-guide-steps');
		this.text = el('p', { role: 'status' });
		this.form = el('div');
		this.more = el('p.remsim-help', {}, options.links.modem ? el('a', { href: options.links.modem(id, 'settings') }, t('All settings of this modem')) : null);
		this.root = el('section.remsim-panel', { 'data-modem': id }, el('h2', {}, this.chip.root), this.steps, this.text, this.form, this.more);
	}

	/** The modem's object is another one; `isDone`: it needs nothing any more. */
	update(modem) {
		const { t } = this._ctx, steps = stepsOf(modem);
		const at = steps.find(step => step.look === 'now' || step.look === 'problem') || null;
		this.chip.update(modem);
		this.root.setAttribute('aria-label', modem.name);
		const shown = JSON.stringify(steps.map(step => [step.name, step.look]));
		if (shown !== this._shown)
			fill(this.steps, steps.map(({ label, look }) => el(`li.remsim-guide-${look}`, { 'aria-current': look === 'now' || look === 'problem' ? 'step' : null },
				el('span', { role: 'img', 'aria-label': this._words[look] }, MARKS[look]), ' ', t(label))));
		this._shown = shown;
		const latency = modem.reading?.latency_ms;
		setText(this.text, at ? (at.name === 'modem' && modem.problem) || t(at.text)
			: t('On the Internet: an answer takes %s ms.', number(latency, latency < 10 ? 1 : 0)));
		this.isDone = !at;
		this._offer(at?.action || null);
	}

	/** The form of the step; kept while the step stays. */
	async _offer(name) {
		if (name === this._offered)
			return;
		this._offered = name;
		this.panel = null;
		fill(this.form);
		if (!name || this._ctx.options.readonly)
			return;
		const { request, id, t } = this._ctx;
		try {
			const { actions } = await request(`modems/${encodeURIComponent(id)}/actions`);
			const action = actions.find(one => one.name === name);
			if (name !== this._offered || !action)
				return;
			this.panel = new ActionPanel(action, this._ctx, { isBare: true, done: () => this._ctx.look() });
			fill(this.form, el('h3', {}, t(action.label)), this.panel.root);
		} catch (error) {
			this._offered = undefined; // asked again with the next state
			fill(this.form, el('p.remsim-problem', {}, error.message, error.hint ? ` – ${error.hint}` : ''));
		}
	}
}
