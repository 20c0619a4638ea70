import { render } from 'preact'
import '../ui/style.css'

render(<h1>Nhịp Cầu</h1>, document.getElementById('app')!)
