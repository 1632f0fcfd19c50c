'use strict';
'require baseclass';
'require ui';

return baseclass.extend({
	async __init__() {
		let node = await ui.menu.load();
		const top = document.getElementById('topmenu'), tabs = document.getElementById('tabmenu');
		const item = (path, child) => E('li', { 'class': `tabmenu-item-${child.name}` }, [E('a', { 'href': L.url(path, child.name) }, [_(child.title)])]);
		for (const child of ui.menu.getChildren(node.children.admin))
			top.append(E('li', {}, [E('a', { 'href': '#' }, [_(child.title)]), E('ul', {}, ui.menu.getChildren(child).map(one => item(`admin/${child.name}`, one)))]));
		for (const name of L.env.dispatchpath.slice(0, 3))
			node = node?.children[name];
		tabs.append(E('ul', { 'class': 'tabs' }, ui.menu.getChildren(node).map(one => item(L.env.dispatchpath.slice(0, 3).join('/'), one))));
		top.style.display = tabs.style.display = '';
	}
});
