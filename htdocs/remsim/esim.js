/** The eSIM page: the card in each modem with its profiles, adding one, kept codes, and what works on many; which of them stands in the address. */

import { el, fill, mark, setText } from './dom.js';
import { AddTab } from './esim-add.js';
import { HolderCard } from './esim-card.js';
import { CodesTab } from './esim-codes.js';
import { EsimData } from './esim-data.js';
import { sentence } from './esim-words.js';
import { Frame } from './frame.js';
import { msg } from './words.js';

const TABS = [['cards', msg('Cards')], ['codes', msg('Codes')], ['rules', msg('Rules')], ['bulk', msg('Many at once')], ['orders', msg('Orders')], ['backup', msg('Backup')]];
/** Tabs whose modules are loaded when they are opened first: `module` exports its class under `name`. */
const LATER = {
	rules: () => import('./esim-rules.js').then(({ RulesTab }) => RulesTab), bulk: () => import('./esim-bulk.js').then(({ BulkTab }) => BulkTab), orders: () => import('./esim-orders.js').then(({ OrdersTab }) => OrdersTab),
	 backup: () => import('./esim-backup.js').then(({ BackupTab }) => BackupTab)
};

/** What went well and needs no more than a word. */
const DONE_WORDS = { 'esim-read': msg('The card is read.'), 'esim-nickname': msg('The profile has its name.'), 'esim-default-smdp': msg('The default server is set.'), 'esim-iot': msg('The card was asked.') };

/** The address of a tab. */
const address = (tab, more = {}) => `#${new URLSearchParams({ tab, ...more })}`;

/** Mount the eSIM page into `node`; `options` as for dashboard.js. Returns {destroy, pause, resume, isWaiting}. */
export async function mount(node, options) {
	const page = new EsimPage(node, options);
	await page.start();
	return page;
}

class EsimPage extends Frame {
	constructor(node, options) {
		super(node, options, 'remsim-esimpage');
		const { t, request, links } = this.options;
		this.data = new EsimData(this.options, this.store, this.keeper, () => this._show());
		this.context = {
			t, request, options: this.options, store: this.store, root: this.root, data: this.data, keeper: this.keeper, address,
			said: text => setText(this.told, text ? `✓ ${text}` : ''), show: () => this._show(), toJob: id => this._toJob(id)
		};
		this.failed = el('div.remsim-problem', { role: 'alert', hidden: true });
		this.warnings = el('div.remsim-stack', { hidden: true });
		this.cards = new Map();
		this.list = el('div.remsim-stack');
		this.none = el('div.remsim-nothing', { hidden: true }, el('p', {}, el('strong', {}, t('No modem or card reader is there, so there is no eSIM to show.'))), links.page ? el('a.remsim-button', { href: links.page('modems') }, t('Modems')) : null);
		this.tabsOpen = { cards: { root: el('div.remsim-stack', {}, this.none, this.list) }, codes: new CodesTab(this.context), add: new AddTab(this.context) };
		this.links = Object.fromEntries(TABS.map(([name, word]) => [name, el('a', { href: address(name) }, t(word))]));
		this.panel = el('div');
		fill(this.body, el('nav.remsim-tabs', { 'aria-label': t('eSIM') }, Object.values(this.links)), this.failed, this.warnings, this.panel);
		this._hash = () => this._route();
		window.addEventListener('hashchange', this._hash);
		this._route();
	}

	destroy() {
		window.removeEventListener('hashchange', this._hash);
		this.tabsOpen.add.destroy();
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
		this.data.happened(event);
		this.tabsOpen[this.tab]?.happened?.(event);
	}

	heard(reading) {
		const modem = this.store.modems.get(reading.modem);
		if (modem && this.tab === 'cards' && !document.hidden)
			this.cards.get(modem.id)?.chip.update(modem);
	}

	worked(job) {
		this.data.worked(job);
		if (job.state === 'done' && DONE_WORDS[job.kind] && this.keeper.isOwn(job) && this._doneTold !== job.id) {
			this._doneTold = job.id;
			this.context.said(this.options.t(DONE_WORDS[job.kind]));
		}
		this.tabsOpen[this.tab]?.worked?.(job);
		if (this.tab === 'cards' && this.cards.has(job.modem))
			this.cards.get(job.modem).update(this.data.holder(job.modem) || this.cards.get(job.modem).holder);
		if (job.ended_at)
			this.cards.get(job.modem)?.worked(job);
	}

	tick() {
		this.data.tick();
		if (this.tab === 'cards')
			this.cards.forEach(card => card.tick());
		this.tabsOpen[this.tab]?.tick?.();
	}

	async _route() {
		const asked = new URLSearchParams(location.hash.slice(1)), wanted = asked.get('tab'), before = this.tab;
		this.tab = this.tabsOpen[wanted] || LATER[wanted] ? wanted : 'cards';
		for (const [name, link] of Object.entries(this.links))
			mark(link, 'aria-current', (name === this.tab || (name === 'cards' && this.tab === 'add')) && 'page');
		(this.links[this.tab] || this.links.cards).scrollIntoView?.({ block: 'nearest', inline: 'nearest' });
		if (before && before !== this.tab) {
			this.tabsOpen[before]?.hidden?.();
			this.context.said('');
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

	/** To what is being done to a card. */
	_toJob(holderId) {
		if (this.tab !== 'cards') {
			location.hash = address('cards');
			this._route();
		}
		this._show();
		this.cards.get(holderId)?.job.focus();
	}

	_show() {
		const { t } = this.options, { data } = this, { view, error } = data;
		this.failed.hidden = !error;
		if (error)
			fill(this.failed, sentence(error.message), ' ', sentence(error.hint), ' ', el('button', { type: 'button', click: () => data.load() }, t('Try again')));
		if (!view || !this.store.loaded)
			return;
		const all = data.holders.flatMap(holder => holder.profiles);
		setText(this.summary, all.length === 1 ? t('1 profile') : all.length ? t('%s profiles', all.length) : '');
		this._warnings(view.warnings || []);
		if (this.tab === 'cards')
			this._cards();
		else
			this.tabsOpen[this.tab]?.update?.();
	}

	_cards() {
		const kept = new Map(), { holders } = this.data;
		this.none.hidden = holders.length > 0;
		holders.forEach((holder, at) => {
			const card = this.cards.get(holder.id) || new HolderCard(this.context, holder);
			kept.set(holder.id, card);
			card.update(holder);
			if (this.list.children[at] !== card.root)
				this.list.insertBefore(card.root, this.list.children[at] || null);
		});
		for (const [id, card] of this.cards) {
			if (!kept.has(id))
				card.root.remove();
		}
		this.cards = kept;
	}

	_warnings(warnings) {
		const told = JSON.stringify(warnings);
		this.warnings.hidden = !warnings.length;
		if (told !== this._warned)
			fill(this.warnings, warnings.map(one => el('p.remsim-note', {}, el('strong', {}, `⚠ ${sentence(one.message)}`), one.hint ? ` ${sentence(one.hint)}` : '')));
		this._warned = told;
	}
}
