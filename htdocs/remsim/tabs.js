/** What pages with tabs share: which tab stands in the address, modules that are loaded when it is opened first, and what is told above all of them. */

import { el, fill, mark, setText } from './dom.js';
import { Frame } from './frame.js';
import { errorText } from './remote-data.js';

/** The address of a tab. */
export const address = (tab, more = {}) => `#${new URLSearchParams({ tab, ...more })}`;

/**
 * A page with tabs. `tabs` are names and words in order, the first is shown where the address names none; `later` gives, by name, what
 * loads the class of a tab that is made when it is opened first; `belongs` names the tab that stands for one that has no link of its own.
 *
 * Subclasses set `this.context` and `this.tabsOpen` (the tabs that are there from the beginning), put what is shown into `this.body`
 * (with `this.nav`, `this.trouble`, `this.warnings` and `this.panel`), and call `begin()`. A tab has a `root`, and what it needs of
 * `show(asked)`, `hidden()` and `destroy()`. They override `shown()` (a tab is there) and `left()` (another one was before).
 */
export class TabbedFrame extends Frame {
	constructor(node, options, className, { label, tabs, later = {}, belongs = {} }) {
		super(node, options, className);
		const { t } = this.options;
		this._first = tabs[0][0];
		this._later = later;
		this._belongs = belongs;
		this.tabsOpen = {};
		this.links = Object.fromEntries(tabs.map(([name, word]) => [name, el('a', { href: address(name) }, t(word))]));
		this.nav = el('nav.remsim-tabs', { 'aria-label': t(label) }, Object.values(this.links));
		this.trouble = el('div.remsim-problem', { role: 'alert', hidden: true });
		this.warnings = el('div.remsim-stack', { hidden: true });
		this.panel = el('div');
		this._hash = () => this.route();
	}

	shown() {}
	left() { this.refuse(null); }

	/** What tabs are given: `said` and `failed` tell what became of what was done. */
	contextOf(data) {
		const { options, store, root } = this, { t, request } = options;
		return {
			t, request, options, store, root, data, address,
			said: text => { this.said(text); this.refuse(null); },
			failed: error => { this.said(''); this.refuse(error); },
			go: (tab, more) => { location.hash = address(tab, more); }
		};
	}

	begin() {
		window.addEventListener('hashchange', this._hash);
		this.route();
	}

	destroy() {
		window.removeEventListener('hashchange', this._hash);
		Object.values(this.tabsOpen).forEach(tab => tab.destroy?.());
		super.destroy();
	}

	/** Show the tab of the address. */
	async route() {
		const asked = new URLSearchParams(location.hash.slice(1)), wanted = asked.get('tab'), before = this.tab;
		const tab = this.tab = this.tabsOpen[wanted] || this._later[wanted] ? wanted : this._first, under = this._belongs[tab] || tab;
		for (const [name, link] of Object.entries(this.links))
			mark(link, 'aria-current', name === under && 'page');
		this.links[under].scrollIntoView?.({ block: 'nearest', inline: 'nearest' });
		if (before && before !== tab) {
			this.tabsOpen[before]?.hidden?.();
			this.left();
		}
		try {
			this.tabsOpen[tab] ||= new (await this._later[tab]())(this.context);
		} catch (error) {
			fill(this.panel, el('p.remsim-problem', {}, error.message));
			return;
		}
		if (tab !== this.tab)
			return;
		if (this.panel.firstChild !== this.tabsOpen[tab].root)
			fill(this.panel, this.tabsOpen[tab].root);
		this.tabsOpen[tab].show?.(asked);
		this.shown();
	}

	said(text) {
		setText(this.told, text ? `✓ ${text}` : '');
	}

	/** What was asked for was refused. */
	refuse(error) {
		this.trouble.hidden = !error;
		fill(this.trouble, error ? errorText(error) : '');
	}

	/** The service does not answer what the page shows, or does again; `error` as `data` had it last. */
	answered(data) {
		const { error } = data;
		if (error && error !== this._error)
			fill(this.trouble, errorText(error), ' ', el('button', { type: 'button', click: () => data.load() }, this.options.t('Try again')));
		if (error || this._error)
			this.trouble.hidden = !error;
		this._error = error;
	}

	/** What an admin should see; `say` makes a sentence of a word of the service. */
	warn(warnings, say = text => text) {
		const told = JSON.stringify(warnings);
		this.warnings.hidden = !warnings.length;
		if (told !== this._warned)
			fill(this.warnings, warnings.map(one => el('p.remsim-note', {}, el('strong', {}, `⚠ ${say(one.message)}`), one.hint ? ` ${say(one.hint)}` : '')));
		this._warned = told;
	}
}
