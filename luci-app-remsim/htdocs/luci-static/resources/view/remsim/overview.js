'use strict';
'require view';
'require remsim.page as page';

return view.extend(page.showing('dashboard', ['dashboard']));
