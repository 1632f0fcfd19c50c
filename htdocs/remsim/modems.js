/** The Modems page: the list, and one modem in tabs; which one and which tab stand in the address. */

import { AimView } from './aim.js';
import { el, fill, mark, setText } from './dom.js';
import { bitRate, duration, epoch, withUnit } from './format.js';
import { Frame } from './frame.js';
import { JobBar } from './jobs.js';
import { operationText } from './modem-card.js';
import { ModemChip } from './modem-chip.js';
import { ConsoleTab } from './modem-console.js';
import { LogTab } from './modem-log.js';
import { SettingsTab } from './modem-settings.js';
import { SignalTab } from './modem-signal.js';
import { SimTab } from './modem-sim.js';
import { SmsTab } from './modem-sms.js';
import { NoModem } from './no-modem.js';
import { mainSignal, quality } from './quality.js';
import { STAGE_WORDS, msg, plain, stateLook, stateSentence } from './words.js';

export { plain };

const TABS = [
	['signal', msg('Signal & cells'), SignalTab], ['sim', msg('SIM'), SimTab], ['settings', msg('Settings'), SettingsTab],
	['sms', msg('SMS'), SmsTab], ['console', msg('Console'), ConsoleTab], ['log', msg('Log'), LogTab]
];
const LEAST_DETAIL_MS = 2000;
const OPERATION_MS = 2000;

/**
 * Mount the Modems page into `node`; `options` as for dashboard.js, links {dashboard}.
 * Returns {destroy, pause, resume, isWaiting}.
 */
export async function mount(node, options) {
	const page = new ModemsPage(node, options);
	await page.start();
	return page;
}

class ModemsPage extends Frame {
	constructor(node, options) {
		super(node, options, 'remsim-modems');
		const { t } = this.options;
		this.rows = new Map();
		this.list = el('ul.remsim-modemlist');
		this.listBox = el('nav.remsim-modemnav', { 'aria-label': t('Modems') }, this.list);
		this.detail = el('div.remsim-detail');
		this.nothing = new NoModem(this.options, () => this.live.refresh().catch(() => {}));
		this.jobs = new JobBar(this.store, this.keeper, this.options);
		fill(this.body, this.nothing.root, el('div.remsim-split', {}, this.listBox, this.detail), this.jobs.root);
		this._hash = () => this._route();
		window.addEventListener('hashchange', this._hash);
	}

	destroy() {
		window.removeEventListener('hashchange', this._hash);
		this.view?.destroy();
		this.jobs.destroy();
		super.destroy();
	}

	happened(event) { this.view?.happened(event); }
	recolour() { this.view?.recolour(); }

	changed() {
		const t = this.options.t, modems = this.store.list(), online = modems.filter(modem => modem.state === 'online').length;
		setText(this.summary, modems.length ? t('%s of %s online', online, modems.length) : t('No modem'));
		this.nothing.show(this.store.loaded && !modems.length);
		for (const [id, row] of this.rows) {
			if (!this.store.modems.has(id)) {
				row.root.remove();
				this.rows.delete(id);
			}
		}
		for (const modem of modems) {
			if (!this.rows.has(modem.id)) {
				const row = new ListRow(this.options.t);
				row.root.firstChild.href = address(modem.id, 'signal');
				this.rows.set(modem.id, row);
				this.list.appendChild(row.root);
			}
			this._row(modem);
		}
		this._route();
		this.view?.update();
	}

	_row(modem) {
		this.rows.get(modem.id)?.update(modem, this.store);
	}

	heard(reading) {
		const modem = this.store.modems.get(reading.modem);
		if (!modem || document.hidden)
			return;
		this._row(modem);
		if (this.view?.id === modem.id)
			this.view.read(modem);
	}

	worked(job) {
		const modem = this.store.modems.get(job.modem);
		if (modem)
			this._row(modem);
		this.view?.follow();
	}

	/** Show what the address says. */
	_route() {
		if (!this.store.loaded)
			return;
		const asked = new URLSearchParams(location.hash.slice(1)), id = asked.get('modem');
		const isKnown = this.store.modems.has(id);
		this.root.classList.toggle('remsim-has-modem', isKnown || !!id);
		this.listBox.hidden = !this.store.modems.size;
		for (const [other, row] of this.rows)
			mark(row.root.firstChild, 'aria-current', other === id && 'true');
		if (!isKnown) {
			this.view?.destroy();
			this.view = null;
			fill(this.detail, id && this.store.modems.size ? el('p.remsim-problem', {}, this.options.t('There is no modem %s any more.', id), ' ', el('a', { href: '#' }, this.options.t('All modems'))) : null);
			this._titled(null);
			return;
		}
		if (this.view?.id !== id) {
			this.view?.destroy();
			this.view = new ModemView(id, this);
			fill(this.detail, this.view.root);
		}
		this.view.route(asked);
		this._titled(this.store.modems.get(id));
	}

	/** The tab of the browser names the modem, where the page is the browser's own. */
	_titled(modem) {
		if (this.options.title)
			document.title = modem ? `${modem.name} – remsim` : 'remsim';
	}

	tick() {
		for (const modem of this.store.list())
			this._row(modem);
		this.jobs.tick();
		this.view?.tick();
		// Not everything that ends an operation is told by the stream.
		if (this.store.link.mode === 'live' && this.store.list().some(modem => modem.operation) && Date.now() - (this._askedAt || 0) > OPERATION_MS) {
			this._askedAt = Date.now();
			this.live.refresh().catch(() => {});
		}
	}
}

/** The address of a modem's tab. */
export function address(id, tab, more = {}) {
	return `#${new URLSearchParams({ modem: id, tab, ...more })}`;
}

/** One modem of the list. */
class ListRow {
	constructor(t) {
		this._t = t;
		this.chip = new ModemChip(t);
		this.state = el('span.remsim-row-state');
		this.note = el('span.remsim-row-note');
		this.age = el('span.remsim-age');
		this.root = el('li', {}, el('a.remsim-row', { href: '#' }, this.chip.root, this.state, this.note, this.age));
	}

	update(modem, store) {
		const t = this._t, look = stateLook(modem.state);
		this.chip.update(modem);
		this.root.firstChild.className = `remsim-row remsim-row-${look}`;
		setText(this.state, stateSentence(modem, store.now(), t));
		const doing = operationText(modem, store.jobs.values(), t);
		const signal = modem.state === 'online' ? mainSignal(modem.reading) : null, word = signal && quality(signal.measure, signal.value);
		const carried = signal ? [`${signal.label} ${withUnit(signal.value, 'dBm')}${word ? ` · ${t(word)}` : ''}`, modem.reading.operator, `↓ ${bitRate(modem.reading.rx_bits_per_s)} ↑ ${bitRate(modem.reading.tx_bits_per_s)}`].filter(Boolean).join(' · ') : '';
		setText(this.note, doing || modem.problem || carried);
		this.note.className = `remsim-row-note${!doing && modem.problem ? ' remsim-problem' : ''}`;
		const age = modem.reading ? store.now() - epoch(modem.reading.at) : null;
		const isOld = age !== null && age > 3 * (modem.effective_period_s || modem.period_s || 1) + 1;
		setText(this.age, age === null ? t('not read yet') : isOld || age >= 3 ? t('%s ago', duration(age)) : t('now'));
		this.root.classList.toggle('remsim-stale', isOld || store.isCutOff());
	}
}

/** One modem in tabs. */
class ModemView {
	constructor(id, page) {
		const { options, store, keeper } = page, t = options.t;
		this.id = id;
		this.page = page;
		this.ctx = {
			id, t, options, store, keeper, root: page.root, live: page.live, request: options.request, actions: [],
			address: (tab, more) => address(id, tab, more), go: (tab, more) => { location.hash = address(id, tab, more); },
			action: name => this.ctx.actions.find(action => action.name === name), refresh: () => this._actions(), detail: null,
			look: () => this._look(true)
		};
		this.tabs = new Map();
		this.chip = new ModemChip(t);
		this.sentence = el('p.remsim-state');
		this.reason = el('p.remsim-reason', { hidden: true });
		this.problem = el('p.remsim-problem', { hidden: true });
		this.notices = el('div.remsim-notices');
		this.age = el('span.remsim-age');
		this.links = new Map(TABS.map(([name, label]) => [name, el('a', { href: address(id, name) }, t(label))]));
		this.body = el('section.remsim-tab');
		this.head = el('header.remsim-modemhead', {}, el('a.remsim-back', { href: '#' }, `‹ ${t('All modems')}`),
			el('h2', {}, this.chip.root), this.age, this.sentence, this.reason, this.problem, this.notices);
		this.nav = el('nav.remsim-tabs', { 'aria-label': t('Parts of the modem') }, [...this.links.values()]);
		this.root = el('article.remsim-modem', { 'aria-label': store.modems.get(id).name }, this.head, this.nav, this.body);
		this.update();
		this._actions();
		this._look();
	}

	get modem() {
		return this.page.store.modems.get(this.id);
	}

	/** Show the tab the address names. */
	route(asked) {
		const wanted = asked.get('tab'), isAim = wanted === 'aim', known = TABS.find(([name]) => name === wanted) || TABS[0];
		const name = isAim ? 'signal' : known[0];
		if (this.current !== name) {
			this.tabs.get(this.current)?.hidden?.();
			this.current = name;
			if (!this.tabs.has(name)) {
				const Tab = TABS.find(([other]) => other === name)[2];
				this.tabs.set(name, new Tab(this.ctx));
			}
			fill(this.body, this.tabs.get(name).root);
			for (const [other, link] of this.links)
				mark(link, 'aria-current', other === name && 'page');
			this.links.get(name).scrollIntoView?.({ block: 'nearest', inline: 'nearest' });
			this.body.setAttribute('aria-label', this.links.get(name).textContent);
			const tab = this.tabs.get(name);
			tab.offered?.(this.ctx.actions);
			if (this.ctx.detail)
				tab.update?.(this.modem, this.ctx.detail);
			tab.shown?.();
		}
		this.tabs.get(name).route?.(asked);
		if (isAim && !this.aim) {
			this.aim = new AimView(this.ctx, () => this._closeAim());
			this.page.root.appendChild(this.aim.root);
			this.aim.opened();
			this.aim.read(this.modem);
		} else if (!isAim)
			this._aimGone();
	}

	/** Closing goes back where the view was opened from, so that the browser's own way back does not open it again. */
	_closeAim() {
		if (this.ctx.wentToAim)
			history.back();
		else
			location.replace(address(this.id, 'signal'));
	}

	_aimGone() {
		this.aim?.destroy();
		this.aim = null;
	}

	/** The modem's object is another one. */
	update() {
		const modem = this.modem;
		if (!modem)
			return;
		this.read(modem);
		const known = [modem.state, modem.operation, modem.vendor, modem.model, modem.stage, modem.iccid].join('|');
		if (this._known !== undefined && known !== this._known) {
			this._actions();
			this._look();
		}
		this._known = known;
		this.follow();
	}

	/** A reading came. */
	read(modem) {
		this.chip.update(modem);
		this.root.className = `remsim-modem remsim-card-${stateLook(modem.state)}`;
		this.problem.hidden = !modem.problem;
		setText(this.problem, modem.problem || '');
		const notices = (modem.notices || []).join('\n');
		if (notices !== this._notices)
			fill(this.notices, (modem.notices || []).map(notice => el('p.remsim-help', {}, `ⓘ ${notice}`)));
		this._notices = notices;
		this.tick();
		this.aim?.read(modem);
		this.tabs.get(this.current)?.read?.(modem);
		if (!document.hidden && this.tabs.get(this.current)?.polls && Date.now() - (this._lookedAt || 0) >= Math.max(LEAST_DETAIL_MS, 1000 * (modem.effective_period_s || 1)))
			this._look();
	}

	happened(event) {
		if (event.source === this.id)
			this.tabs.get(this.current)?.happened?.(event);
	}

	/** A job moved on. */
	follow() {
		this.tabs.forEach(tab => tab.follow?.());
	}

	recolour() {
		this.tabs.forEach(tab => tab.recolour?.());
	}

	tick() {
		const { t, store } = this.ctx, modem = this.modem;
		if (!modem)
			return;
		const now = store.now();
		setText(this.sentence, stateSentence(modem, now, t));
		const stage = modem.stage && modem.state !== 'online' && STAGE_WORDS[modem.stage] ? t('so far: %s', t(STAGE_WORDS[modem.stage])) : '';
		const next = modem.next_try_at ? Math.max(0, Math.round(epoch(modem.next_try_at) - now)) : null;
		const told = [stage, modem.reason && modem.reason !== modem.problem ? modem.reason : '', next === null ? '' : t('next try in %s s', next)].filter(Boolean).join(' · ');
		this.reason.hidden = !told;
		setText(this.reason, told);
		const age = modem.reading ? now - epoch(modem.reading.at) : null;
		const isOld = age !== null && (age > 3 * (modem.effective_period_s || modem.period_s || 1) + 1 || store.isCutOff());
		setText(this.age, age === null ? t('not read yet') : isOld || age >= 3 ? t('%s ago', duration(age)) : t('now'));
		this.root.classList.toggle('remsim-stale', isOld);
		this.aim?.tick(isOld);
		this.tabs.get(this.current)?.tick?.();
	}

	/** Ask for what only the object of one modem has: carriers, neighbours, sensors. */
	async _look(isForced = false) {
		if (this._looking && !isForced)
			return;
		this._looking = true;
		this._lookedAt = Date.now();
		try {
			this.ctx.detail = await this.ctx.request(`modems/${encodeURIComponent(this.id)}`);
			if (!this._isOver)
				this.tabs.get(this.current)?.update?.(this.modem || this.ctx.detail, this.ctx.detail);
		} catch { /* the head says that nothing is heard; what is shown grows old */ }
		this._looking = false;
	}

	async _actions() {
		try {
			const { actions } = await this.ctx.request(`modems/${encodeURIComponent(this.id)}/actions`);
			if (this._isOver)
				return;
			this.ctx.actions = actions;
			this.tabs.forEach(tab => tab.offered?.(actions));
		} catch { /* asked again with the next change of the modem's state */ }
	}

	destroy() {
		this._isOver = true;
		this._aimGone();
		this.tabs.forEach(tab => tab.destroy?.());
		this.root.remove();
	}
}
