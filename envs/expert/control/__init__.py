"""Control of one avatar: skills that make relations true or false."""
