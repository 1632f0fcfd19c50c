/** What the pages share: a head that says how old everything is, problems, the live store, the scheme. */

import { AlertBadge } from './alert-badge.js';
import { el, fill } from './dom.js';
import { useLocale } from './format.js';
import { Keeper } from './keeper.js';
import { LinkState } from './link-state.js';
import { Live } from './live.js';
import { Store } from './store.js';
import { followScheme } from './theme.js';
import { plain } from './words.js';

const SKELETON_MS = 300;

/**
 * A page with a live store. Subclasses fill `this.body` and override what they need of `changed()` (state), `heard(reading)`,
 * `happened(event)`, `worked(job)`, `recolour()` and `tick()` (once a second while the page is seen).
 *
 * `options` as for dashboard.js. A page's `mount(node, options)` makes one and returns it after `start()`:
 * {destroy, pause, resume, isWaiting}.
 */
export class Frame {
	constructor(node, options, className) {
		this.options = { t: plain, exportUrl: () => null, apiUrl: () => null, links: {}, query: {}, scheme: 'auto', ...options };
		const { t, title, locale } = this.options;
		useLocale(locale);
		this.store = new Store();
		this.live = new Live(this.store, this.options);
		this.options.refresh = () => this.live.refresh();
		this.keeper = new Keeper(this.store, this.options.request); // what was changed elsewhere is kept from any page
		this.badge = el('span.remsim-simulated', { hidden: true }, t('SIMULATED'));
		this.summary = el('strong');
		this.firing = new AlertBadge(this.store, this.options);
		this.linkState = new LinkState(this.store, this.options);
		this.told = el('p.remsim-said-now', { role: 'status' }); // in the head, where nothing moves when it comes
		this.problems = el('div.remsim-problems', { role: 'alert' });
		this.body = el('div.remsim-body');
		this.root = el(`div.remsim.${className}`, {},
			el('header.remsim-head', {}, title ? el('h1', {}, t(title)) : null, this.badge, this.summary, this.firing.root, this.linkState.root, this.told),
			this.problems, this.body);
		fill(node, this.root);
		this._stop = [
			this.store.on('state', () => { this._head(); this._problems(); this.changed(); }),
			this.store.on('reading', reading => this.heard(reading)),
			this.store.on('event', event => this.happened(event)),
			this.store.on('job', job => this.worked(job)),
			this.store.on('link', () => this._head()),
			followScheme(this.root, this.options.scheme, () => this.recolour())
		];
		this._second = setInterval(() => this._tick(), 1000);
	}

	async start() {
		const skeleton = setTimeout(() => this.root.classList.add('remsim-loading'), SKELETON_MS);
		await this.live.start();
		clearTimeout(skeleton);
		this.root.classList.remove('remsim-loading');
	}

	changed() {}
	heard() {}
	happened() {}
	worked() {}
	recolour() {}
	tick() {}

	pause() { this.live.pause(); }
	resume() { this.live.resume(); }

	/** Whether something that was asked for here needs the page to go on. */
	get isWaiting() { return this.keeper.isWaiting; }

	destroy() {
		clearInterval(this._second);
		this.keeper.destroy();
		this.firing.destroy();
		this._stop.forEach(stop => stop());
		this.live.destroy();
		this.root.remove();
	}

	_tick() {
		if (document.hidden)
			return;
		if (['reconnecting', 'refused'].includes(this.store.link.mode))
			this._head();
		this.tick();
	}

	_head() {
		this.linkState.show();
		this.root.classList.toggle('remsim-cut-off', this.store.isCutOff());
		this.badge.hidden = !this.store.simulated;
	}

	_problems() {
		const told = JSON.stringify(this.store.problems);
		if (told === this._told)
			return; // an alert that is filled again is read out again
		this._told = told;
		fill(this.problems, this.store.problems.map(problem =>
			el('p.remsim-problem', {}, el('strong', {}, problem.message), problem.hint ? ` – ${problem.hint}` : '')));
	}
}
