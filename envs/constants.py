"""Names, sizes and units shared by the whole task space.

The task space is that of AdA (arXiv 2301.07608). Ids never change, because
stored arrays and observations contain them. Zero always means "none", so that
padded arrays are valid arrays.
"""

from typing import Final

# --- Time --------------------------------------------------------------------
STEP_SECONDS: Final = 2 / 15  # One agent step: every 4th frame at 30 fps.
MIN_TRIAL_SECONDS: Final = 2.0  # AdA draws from 10 to 40 s; presets for small
MAX_TRIAL_SECONDS: Final = 40.0  # machines use shorter trials.
MAX_TRIALS: Final = 48

# --- Objects -----------------------------------------------------------------
SHAPES: Final = ("wall", "cube", "sphere", "pyramid")  # Ids 1 to 4.
COLOURS: Final = ("black", "purple", "yellow")  # Ids 1 to 3.
NUM_SHAPES: Final = len(SHAPES)
NUM_COLOURS: Final = len(COLOURS)
NUM_OBJECT_TYPES: Final = NUM_SHAPES * NUM_COLOURS
# A type id is 1 + (shape - 1) * NUM_COLOURS + colour - 1, so that 1 to 12 are
# objects; players follow as 13 and 14.
MAX_PLAYERS: Final = 2
PLAYER_TYPE_IDS: Final = (13, 14)
NUM_TYPES: Final = NUM_OBJECT_TYPES + MAX_PLAYERS  # Without the zero.
# In observed and stored literals a player is (shape PLAYER_SHAPE, colour n).
PLAYER_SHAPE: Final = 5

# --- Predicates --------------------------------------------------------------
PREDICATES: Final = ("touching", "near", "hold", "see")  # Ids 1 to 4.
NUM_PREDICATES: Final = len(PREDICATES)
NEAR_METRES: Final = 1.0  # Between centres.
TOUCHING_METRES: Final = 0.001

# --- Placeholders for hidden parts of rules ----------------------------------
# A hidden rule is a row with predicate HIDDEN_RULE and zeros otherwise.
HIDDEN_RULE: Final = NUM_PREDICATES + 1
# Hidden predicate number n (from 1) has predicate id HIDDEN_RULE + n.
MAX_HIDDEN_PREDICATES: Final = NUM_PREDICATES
NUM_PREDICATE_IDS: Final = HIDDEN_RULE + MAX_HIDDEN_PREDICATES + 1
# Hidden object number n (from 1) has shape id PLAYER_SHAPE + n, colour 0.
MAX_HIDDEN_OBJECTS: Final = NUM_OBJECT_TYPES
NUM_SHAPE_IDS: Final = PLAYER_SHAPE + MAX_HIDDEN_OBJECTS + 1
NUM_COLOUR_IDS: Final = NUM_COLOURS + 1

# --- Array sizes -------------------------------------------------------------
MAX_RULES: Final = 16
MAX_SPAWNS: Final = 4
MAX_OBJECTS: Final = 24  # Object slots of the largest configuration.
LITERAL_WIDTH: Final = 6  # Negated, predicate, shape 1, colour 1, shape 2, ...
RULE_WIDTH: Final = LITERAL_WIDTH + 2 * MAX_SPAWNS  # One trigger, 4 spawns.

# --- World geometry, metres --------------------------------------------------
TILE_METRES: Final = 1.0
LEVEL_METRES: Final = 0.5  # A ramp climbs one level over one tile.
MAX_TILES: Final = 20
MAX_LEVELS: Final = 4
BORDER_METRES: Final = 2.0  # Height of the outer wall above the top level.

# --- Avatar ------------------------------------------------------------------
AVATAR_RADIUS: Final = 0.25
AVATAR_HEIGHT: Final = 1.0
EYE_HEIGHT: Final = 0.85  # Above the avatar's feet.
WALK_SPEED: Final = 2.5  # Metres per second, forward and sideways.
PITCH_LIMIT: Final = 1.0  # Radians up or down.
START_PITCH: Final = -0.35  # The floor a few steps ahead is in view.
LOOK_RATE: Final = 1.0  # Radians per second.
TURN_RATES: Final = (-3.0, -0.8, 0.0, 0.8, 3.0)  # Radians a second, + is left.
FOV_X: Final = 1.5707963  # Horizontal field of view, radians; pixels are 4:3.
ASPECT: Final = 4 / 3
REACH_METRES: Final = 2.0
HAND_MIN_METRES: Final = 0.7
HAND_RATE: Final = 1.5  # Metres per second, nearer or farther.
# A held object is torn away when it lags this far behind the hand. The hand is
# a spring, so this also limits its force.
TEAR_METRES: Final = 0.6

# --- Actions: six categorical heads ------------------------------------------
ACTION_HEADS: Final = ("move", "strafe", "turn", "look", "grip", "hand")
ACTION_SIZES: Final = (3, 3, 5, 3, 2, 3)
# move 0 back 1 stay 2 forward; strafe 0 left 1 stay 2 right; turn as
# TURN_RATES from right to left; look 0 down 1 stay 2 up; grip 0 open 1 closed;
# hand 0 nearer 1 stay 2 farther.
NOOP_ACTION: Final = (1, 1, 2, 1, 0, 1)
