from spam import create_app

app = create_app()
