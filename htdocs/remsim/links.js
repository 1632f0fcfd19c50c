/** The Links page: what carries the traffic and how it is shared, the flows as they are, and the settings of both; which of them stands in the address. */

import { el, fill, mark, setText } from './dom.js';
import { Frame } from './frame.js';
import { LinksData, isOfLinks } from './links-data.js';
import { LinksTab } from './links-list.js';
import { isUsable, rateText, roomSentence } from './links-words.js';
import { errorText } from './remote-data.js';
import { msg } from './words.js';

const TABS = [['links', msg('Links')], ['live', msg('Live view')], ['cost', msg('Data and cost')], ['mptcp', msg('MPTCP')], ['settings', msg('Sharing')]];
/** What is loaded when it is opened first. */
const LATER = {
	live: () => import('./links-live.js').then(({ LiveTab }) => LiveTab), settings: () => import('./links-settings.js').then(({ SettingsTab }) => SettingsTab),
	cost: () => import('./links-cost.js').then(({ CostTab }) => CostTab), mptcp: () => import('./links-mptcp.js').then(({ MptcpTab }) => MptcpTab),
	form: () => import('./links-form.js').then(({ FormTab }) => FormTab), import: () => import('./links-import.js').then(({ ImportTab }) => ImportTab)
};
const BELONGS = { form: 'links', import: 'settings' };

/** The address of a tab. */
const address = (tab, more = {}) => `#${new URLSearchParams({ tab, ...more })}`;

/** Mount the Links page into `node`; `options` as for dashboard.js. Returns {destroy, pause, resume, isWaiting}. */
export async function mount(node, options) {
	const page = new LinksPage(node, options);
	await page.start();
	return page;
}

class LinksPage extends Frame {
	constructor(node, options) {
		super(node, options, 'remsim-linkspage');
		const { t, request } = this.options;
		this.data = new LinksData(this.options, this.store, () => this._show());
		this.refused = el('div.remsim-problem', { role: 'alert', hidden: true });
		this.context = {
			t, request, options: this.options, store: this.store, root: this.root, data: this.data, address,
			said: text => { setText(this.told, text ? `✓ ${text}` : ''); this._refuse(null); },
			failed: error => { setText(this.told, ''); this._refuse(error); },
			go: (tab, more) => { location.hash = address(tab, more); }
		};
		this.sentence = el('p.remsim-links-sentence', { role: 'status' });
		this.warnings = el('div.remsim-stack', { hidden: true });
		this.tabsOpen = { links: new LinksTab(this.context) };
		this.links = Object.fromEntries(TABS.map(([name, word]) => [name, el('a', { href: address(name) }, t(word))]));
		this.panel = el('div');
		fill(this.body, this.sentence, el('nav.remsim-tabs', { 'aria-label': t('Links') }, Object.values(this.links)), this.refused, this.warnings, this.panel);
		this._hash = () => this._route();
		window.addEventListener('hashchange', this._hash);
		this._route();
	}

	destroy() {
		window.removeEventListener('hashchange', this._hash);
		Object.values(this.tabsOpen).forEach(tab => tab.destroy?.());
		this.data.destroy();
		super.destroy();
	}

	changed() {
		if (!this._asked) {
			this._asked = true;
			this.data.load();
		} else
			this._show();
	}

	happened(event) {
		if (isOfLinks(event)) {
			this.data.soon();
			this.tabsOpen[this.tab]?.happened?.(event);
		}
	}

	heard(reading) {
		if (!document.hidden)
			this.tabsOpen[this.tab]?.heard?.(reading);
	}

	tick() {
		this.data.tick();
		this.tabsOpen[this.tab]?.tick?.();
	}

	recolour() {
		this.tabsOpen?.live?.recolour();
	}

	async _route() {
		const asked = new URLSearchParams(location.hash.slice(1)), wanted = asked.get('tab'), before = this.tab;
		this.tab = this.tabsOpen[wanted] || LATER[wanted] ? wanted : 'links';
		for (const [name, link] of Object.entries(this.links))
			mark(link, 'aria-current', name === (BELONGS[this.tab] || this.tab) && 'page');
		this.links[BELONGS[this.tab] || this.tab].scrollIntoView?.({ block: 'nearest', inline: 'nearest' });
		if (before && before !== this.tab) {
			this.tabsOpen[before]?.hidden?.();
			this._refuse(null);
		}
		const { tab } = this;
		try {
			this.tabsOpen[tab] ||= new (await LATER[tab]())(this.context);
		} catch (error) {
			fill(this.panel, el('p.remsim-problem', {}, error.message));
			return;
		}
		if (tab !== this.tab)
			return;
		if (this.panel.firstChild !== this.tabsOpen[tab].root)
			fill(this.panel, this.tabsOpen[tab].root);
		this.tabsOpen[tab].show?.(asked);
		this._show();
	}

	_refuse(error) {
		this.refused.hidden = !error;
		fill(this.refused, error ? errorText(error) : '');
	}

	_show() {
		const { t } = this.options, { view, error } = this.data;
		if (error && error !== this._error)
			fill(this.refused, errorText(error), ' ', el('button', { type: 'button', click: () => this.data.load() }, t('Try again')));
		if (error || this._error)
			this.refused.hidden = !error;
		this._error = error;
		if (!view || !this.store.loaded)
			return;
		const on = view.links.filter(link => link.state !== 'off'), good = on.filter(isUsable), isRunning = view.state === 'running';
		setText(this.summary, isRunning && on.length ? t('%s of %s links work', good.length, on.length) : '');
		this.sentence.hidden = !isRunning || !view.links.length;
		if (!this.sentence.hidden) {
			const sum = key => on.reduce((all, link) => all + (link[key] || 0), 0);
			setText(this.sentence, `${roomSentence(view, t)} ${t('Now %s.', rateText(sum('rx_bps'), sum('tx_bps')))}`);
		}
		const problem = view.state === 'running' && view.problem ? [view.problem] : [];  // a change that failed: what was before goes on
		this._warn([...problem, ...view.warnings || []]);
		this.tabsOpen[this.tab]?.update?.();
	}

	_warn(warnings) {
		const told = JSON.stringify(warnings);
		this.warnings.hidden = !warnings.length;
		if (told !== this._warned)
			fill(this.warnings, warnings.map(one => el('p.remsim-note', {}, el('strong', {}, `⚠ ${one.message}`), one.hint ? ` ${one.hint}` : '')));
		this._warned = told;
	}
}
